import hashlib
import io

import httpx
import pytest

from protocol.artifacts import StoreError
from protocol.artifacts.serving import serving
from protocol.artifacts.store import Store

pytestmark = pytest.mark.real_time
DATA = bytes(range(250)) * 400
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
async def served(tmp_path):
    store = Store(tmp_path)
    draft = store.draft(len(DATA))
    draft.copy(io.BytesIO(DATA))
    store.keep(draft, "run", media_type="text/plain")
    draft.discard()
    async with (
        serving(store, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        client.headers["authorization"] = f"Bearer {store.token(SHA)}"
        yield store, client
    store.close()


async def test_whole_content_comes_with_its_hash_as_the_etag(served):
    _, client = served
    answer = await client.get(f"/artifacts/{SHA}")
    assert answer.status_code == 200
    assert answer.content == DATA
    assert answer.headers["etag"] == f'"{SHA}"'
    assert answer.headers["content-type"].startswith("text/plain")
    head = await client.head(f"/artifacts/{SHA}")
    assert (head.headers["content-length"], head.content) == ("100000", b"")


@pytest.mark.parametrize(
    ("if_range", "status", "expected"), [(SHA, 206, DATA[99_990:]), ("other", 200, DATA)]
)
async def test_a_range_is_taken_as_long_as_the_content_is_the_same(
    served, if_range, status, expected
):
    _, client = served
    headers = {"range": "bytes=99990-", "if-range": f'"{if_range}"'}
    answer = await client.get(f"/artifacts/{SHA}", headers=headers)
    assert answer.status_code == status
    assert answer.content == expected


async def test_without_the_token_there_is_nothing_whether_it_exists_or_not(served):
    _, client = served
    for token in (b"", b"Basic x", b"Bearer wrong", b"Bearer \xff"):
        headers = {"authorization": token}
        for sha256, status in ((SHA, 403), ("cd" * 32, 403), ("../index.db", 404)):
            answer = await client.get(f"/artifacts/{sha256}", headers=headers)
            assert answer.status_code == status


async def test_what_no_run_refers_to_is_not_served_even_with_its_token(served):
    store, client = served
    store.release(["run"])
    assert (await client.get(f"/artifacts/{SHA}")).status_code == 404
    assert (await client.post(f"/artifacts/{SHA}")).status_code == 405


async def test_an_address_in_use_is_one_clear_error(served):
    store, client = served
    with pytest.raises(StoreError, match="cannot listen at"):
        async with serving(store, "127.0.0.1", client.base_url.port):
            pass


async def test_it_answers_on_ipv6_too(served):
    store, _ = served
    async with serving(store, "::1", 0) as port:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://[::1]:{port}/artifacts/{SHA}")
        assert answer.status_code == 403
