import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json

from protocol.artifacts import KEY, Artifact, BadReferenceError, Content
from protocol.artifacts.reference import references, replaced

SHA = "ab" * 32
TOKEN = "secret"  # noqa: S105  opens nothing
CONTENT = Content(
    sha256=SHA,
    size_bytes=5,
    media_type="text/plain",
    name="x.txt",
    urls=(f"http://127.0.0.1:1/artifacts/{SHA}",),
    token=TOKEN,
)
PLAIN = Artifact.of(CONTENT).plain()


def test_a_reference_is_one_small_object_and_survives_the_way_there_and_back():
    expected = {
        KEY: {
            "sha256": SHA,
            "size_bytes": 5,
            "media_type": "text/plain",
            "name": "x.txt",
            "urls": [f"http://127.0.0.1:1/artifacts/{SHA}"],
            "token": "secret",
        }
    }
    assert expected == PLAIN
    assert Artifact.read(PLAIN).content == CONTENT
    strict = TypeAdapter(list[Artifact]).validate_json(to_json([PLAIN]), strict=True)
    assert to_json(strict) == to_json([PLAIN])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "AB" * 32}, r"sha256"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"urls": []}, "urls"),
        ({"urls": [f"file:///artifacts/{SHA}"]}, "no address of this artifact"),
        ({"urls": ["http://127.0.0.1:1/admin"]}, "no address of this artifact"),
        ({"urls": [f"http://127.0.0.1:1/artifacts/{'cd' * 32}"]}, "no address of this artifact"),
        ({"token": "two\r\nheaders: 1"}, "token"),
        ({"media_type": "text"}, "media_type"),
    ],
)
def test_what_is_no_reference_is_refused_with_its_place(changes, words):
    with pytest.raises(BadReferenceError, match=rf"args\.file.*{words}"):
        Artifact.read({KEY: {**PLAIN[KEY], **changes}}, "args.file")


def test_references_are_found_and_replaced_wherever_they_are():
    value = {"a": [1, PLAIN, {"b": PLAIN}], "c": "text"}

    assert [place for place, _ in references(value, "args")] == ["args.a.1", "args.a.2.b"]
    assert replaced(value, len) == {"a": [1, 1, {"b": 1}], "c": "text"}


def test_an_object_with_the_key_that_is_no_reference_is_refused():
    with pytest.raises(BadReferenceError, match=r"args\.x\.\$artifact: no artifact reference"):
        list(references({"x": {KEY: 1}}, "args"))
