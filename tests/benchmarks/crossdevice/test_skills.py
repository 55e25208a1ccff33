import json
import shutil
from functools import cache

import httpx
import pytest

from agents import config
from agents.skills import BadInputError, Context, PermanentError
from benchmarks.crossdevice import fleet, skills
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import Control, Hardware
from benchmarks.crossdevice.pages import Page, Request, Site, serving
from benchmarks.crossdevice.skills.image import Picture
from protocol.types import AttemptId, RunId, TaskId


class Device:
    """A device of the fleet, and the folder of its files."""

    def __init__(self, root, name):
        fleet.configure(root, [name], port=1, web_port=1)
        settings = config.read(fleet.config_of(root, name))
        self.control = fleet.control_of(root, name)
        hardware = Hardware(FLEET[name].hardware, self.control)
        self.files = fleet.files_of(root, name)
        self.skills = {each.info.name: each for each in skills.of(settings, hardware)}
        self.resources = skills.resources(settings)

    async def call(self, skill, *, resource=None, asked=None, **args):
        async def answer(question):
            asked.append(question)
            return "Yes, do"

        context = Context(
            attempt=AttemptId("a"),
            run=RunId("r"),
            task=TaskId("t"),
            on_ask=answer,
            on_resource=lambda _kind, _key: resource,
        )
        return await self.skills[skill].call(context, args)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Devices by name; reading their contracts takes half a second each."""
    return cache(lambda name: Device(tmp_path_factory.mktemp("fleet"), name))


@pytest.fixture
def device(made):
    """Return a device of the fleet, without files."""

    def clean(name):
        device = made(name)
        shutil.rmtree(device.files)
        device.files.mkdir()
        return device

    return clean


@pytest.fixture
def laptop(device):
    return device("laptop")


def test_devices_have_the_skills_of_their_hardware(device):
    names = ("edge-1", "gpu-1", "phone-1", "server-1")
    groups = {name: {skill.partition(".")[0] for skill in device(name).skills} for name in names}
    assert "db" in groups["edge-1"]
    assert "image" not in groups["edge-1"]
    assert {"model", "image"} <= groups["gpu-1"]
    assert "phone" in groups["phone-1"]
    assert "http" not in groups["phone-1"]
    assert "person" not in groups["server-1"]


async def test_database_goes_through_a_dump_and_changes_all_or_nothing(laptop):
    sql = "create table t (n integer); insert into t values (1); insert into t values (2);"
    assert await laptop.call("db.restore", path="a/t.db", sql=sql) == {
        "path": "a/t.db", "sound": True, "tables": {"t": 2},
    }  # fmt: skip
    dump = await laptop.call("db.dump", path="a/t.db")
    await laptop.call("db.restore", path="b.db", sql=dump["sql"])
    with pytest.raises(PermanentError, match="no such table"):
        await laptop.call("db.execute", path="b.db", statements=["delete from t", "drop table x"])
    rows = await laptop.call(
        "db.query", path="b.db", sql="select n from t where n > ?", values=[1]
    )
    assert rows == {"rows": [{"n": 2}], "total": 1}
    await laptop.call("db.execute", path="b.db", statements=["delete from t where n = 1"])
    assert (await laptop.call("db.inspect", path="b.db"))["tables"] == {"t": 1}


async def test_database_that_is_not_there_is_not_made_by_asking(laptop):
    with pytest.raises(PermanentError, match="unable to open"):
        await laptop.call("db.query", path="none.db", sql="select 1")
    with pytest.raises(BadInputError, match="syntax"):
        await laptop.call("db.restore", path="t.db", sql="select from where")
    assert list(laptop.files.iterdir()) == []


@pytest.mark.parametrize(
    ("operation", "pixels", "size"),
    [
        ("negative", [250, 250, 250, 0, 0, 0, 245, 245, 245, 255, 255, 255], (2, 2)),
        ("mirror", [255, 255, 255, 5, 5, 5, 0, 0, 0, 10, 10, 10], (2, 2)),
        ("half", [5, 5, 5], (1, 1)),
        ("grey", [5, 5, 5, 255, 255, 255, 10, 10, 10, 0, 0, 0], (2, 2)),
    ],
)
async def test_pictures_are_converted(laptop, operation, pixels, size):
    raw = bytes([5, 5, 5, 255, 255, 255, 10, 10, 10, 0, 0, 0])
    (laptop.files / "p.ppm").write_bytes(Picture(2, 2, raw).encoded())

    made = await laptop.call("image.convert", path="p.ppm", folder="o", operation=operation)

    assert (laptop.files / "o/p.ppm").read_bytes() == Picture(*size, bytes(pixels)).encoded()
    assert (made["path"], made["width"], made["height"]) == ("o/p.ppm", *size)


async def test_pictures_of_one_size_make_a_sheet(laptop):
    for name, value in (("a", 1), ("b", 3)):
        (laptop.files / f"{name}.ppm").write_bytes(Picture(1, 1, bytes([value] * 3)).encoded())
    made = await laptop.call("image.sheet", folder=".", path="s.ppm")
    assert made["height"] == 2
    assert (await laptop.call("image.info", path="s.ppm"))["mean"] == 2.0
    with pytest.raises(PermanentError, match="not of one size"):
        await laptop.call("image.sheet", folder=".", path="again.ppm")
    (laptop.files / "bad.ppm").write_bytes(b"P3\n1 1\n255\n")
    with pytest.raises(PermanentError, match="no PPM"):
        await laptop.call("image.info", path="bad.ppm")


async def test_folder_goes_through_a_sound_archive_to_another_device(laptop, device):
    phone = device("phone-1")
    (laptop.files / "docs/deep").mkdir(parents=True)
    (laptop.files / "docs/deep/a.txt").write_bytes(b"\x00\xff")
    first = await laptop.call("pack.zip", folder="docs", path="docs.zip")
    assert await laptop.call("pack.zip", folder="docs", path="again.zip") == {
        **first, "path": "again.zip",
    }  # fmt: skip
    parcel = await laptop.call("pack.send", path="docs.zip")
    await phone.call("pack.receive", parcel=parcel, folder="in", name="d.zip")
    assert (await phone.call("pack.verify", path="in/d.zip"))["names"] == ["deep/a.txt"]
    await phone.call("pack.unzip", path="in/d.zip", folder="out")
    assert (phone.files / "out/deep/a.txt").read_bytes() == b"\x00\xff"


async def test_what_was_damaged_on_the_way_is_not_kept(laptop):
    (laptop.files / "a").write_bytes(b"a")
    parcel = await laptop.call("pack.send", path="a")
    for damage in ({"sha256": "0" * 64}, {"data": "***"}):
        with pytest.raises(BadInputError):
            await laptop.call("pack.receive", parcel={**parcel, **damage}, folder="in")
    (laptop.files / "big").write_bytes(bytes(100_000))
    with pytest.raises(PermanentError, match="are carried"):
        await laptop.call("pack.send", path="big")
    (laptop.files / "no.zip").write_bytes(b"no")
    with pytest.raises(PermanentError, match="zip"):
        await laptop.call("pack.verify", path="no.zip")
    assert not (laptop.files / "in").exists()


async def test_build_step_runs_in_a_process_of_its_own(laptop):
    (laptop.files / "t.py").write_text(
        "import sys\nprint(sys.argv[1:])\nsys.exit(len(sys.argv) - 2)"
    )
    ended = await laptop.call("build.run", script="t.py", args=["x"])
    assert (ended["exit_code"], ended["output"].strip()) == (0, "['x']")
    with pytest.raises(PermanentError, match="exit code 1"):
        await laptop.call("build.run", script="t.py", args=["x", "y"])
    failed = await laptop.call("build.run", script="t.py", args=["x", "y"], check=False)
    assert failed["exit_code"] == 1


async def test_configuration_is_applied_checked_and_taken_back(laptop):
    apply = {"path": "c.json", "values": {"version": 1, "rate": 5}}
    await laptop.call("config.apply", **apply)
    await laptop.call("config.apply", path="c.json", values={"version": 2, "rate": "5"})
    await laptop.call("config.apply", path="c.json", values={"version": 2, "rate": "5"})
    required = {"rate": "number", "version": "number"}
    verdict = await laptop.call("config.check", path="c.json", required=required)
    assert verdict["problems"] == ["rate: '5' is no number"]
    for _ in range(2):
        await laptop.call("config.rollback", path="c.json", version=1)
    assert json.loads((laptop.files / "c.json").read_text()) == apply["values"]
    with pytest.raises(PermanentError, match="version"):
        await laptop.call("config.apply", path="c.json", values={})
    types = await laptop.call("config.check", path="c.json", required={"rate": "boolean"})
    assert not types["valid"]


async def test_tree_is_audited_and_permissions_are_mended(laptop):
    (laptop.files / "t").mkdir()
    (laptop.files / "t/a").write_bytes(b"a")
    (laptop.files / "t/a").chmod(0o666)
    before = await laptop.call("audit.tree", path="t")
    assert (before["files"][0]["mode"], before["total"]) == ("666", 1)
    assert (await laptop.call("audit.permit", path="t/a", mode="600"))["mode"] == "600"
    assert (await laptop.call("audit.tree", path="t"))["digest"] == before["digest"]


async def test_page_is_read_and_its_links_are_followed_once(laptop):
    body = '<title>T</title><a href="b">one two</a><a href="b">again</a><a name="x">y</a>'
    page = await laptop.call("web.read", url="http://h/a", body=body)
    assert page == {"url": "http://h/a", "title": "T", "links": ["http://h/b"], "words": 4}
    back = {**page, "url": "http://h/b", "links": ["http://h/a", "http://h/c"]}
    assert await laptop.call("web.links", pages=[page, back]) == ["http://h/c"]


async def test_warm_model_labels_texts(device):
    gpu = device("gpu-1")
    (gpu.files / "f/models").mkdir(parents=True)
    weights = {"good": {"fine": 1.0, "fast": 0.5}, "bad": {"slow": 2.0}}
    (gpu.files / "f/models/m.json").write_text(json.dumps(weights))
    adapter = gpu.resources["model"].adapter

    model = await adapter.load("f.m")
    labels = await gpu.call(
        "model.classify", resource=model, texts=["Fine, fast!", "fine but slow"]
    )

    assert [(each["label"], each["score"]) for each in labels] == [("good", 1.5), ("bad", 2.0)]
    with pytest.raises(PermanentError, match="no model"):
        await adapter.load("f.none")


async def test_person_is_asked_and_a_phone_knows_its_battery(laptop, device):
    asked = []
    said = await laptop.call("person.ask", asked=asked, question="Roll out?")
    assert (asked, said["approved"]) == (["Roll out?"], True)
    phone = device("phone-1")
    Control(battery=50.0).write(phone.control)
    assert (await phone.call("phone.battery"))["percent"] == 50.0


async def test_digest_depends_on_all_that_was_given_in_any_order(laptop):
    one, two = [await laptop.call("work.digest", name=each) for each in ("a", 2)]
    joined = {"results": [two, one], "items": [1, 2], "missing": []}
    both = await laptop.call("work.digest", name="c", given=[one, two])
    assert await laptop.call("work.digest", name="c", given=joined) == both
    assert await laptop.call("work.digest", name="c", given=one) != both
    assert (await laptop.call("work.count", to=3))["items"] == [1, 2, 3]


@pytest.mark.real_time
async def test_local_pages_answer_fail_and_note_what_was_asked():
    with serving() as pages:
        site = pages.sites["f"] = Site({"a": Page(b"hello", fails=1), "h": Page(b"x", status=418)})
        async with httpx.AsyncClient(base_url=pages.url("f")) as client:
            codes = [(await client.get(path)).status_code for path in ("/a", "/a", "/h", "/none")]
            posted = await client.post("/ticket", json={"n": 1})
            elsewhere = await client.get(pages.url("g"))
            head = await client.head("/a")
    assert codes == [503, 200, 418, 404]
    assert (posted.json(), elsewhere.status_code, head.text) == ({"ok": True}, 404, "")
    assert Request("POST", "ticket", {"n": 1}) in site.requests
    assert Request("GET", "none", "") in site.requests
