"""What is known after a crash, and what a later attempt goes on from."""

import asyncio
import json
import os
import shutil
import stat
from dataclasses import replace

import pytest

from agents.builtin.agent import transcripts
from agents.skills import PermanentError, TemporaryError
from protocol.chat import TryAgainError, Usage
from protocol.types import Failed, FailureKind, RunId, Succeeded, Unknown
from tests.agents.builtin.agent.cases import CONTEXT, Device, Scripted, later, made, says, work

READ = ("files_read", {"path": "/a"})
APPEND = ("files_append", {"path": "/c", "line": "y"})
SLOW = ("files_append", {"path": "/slow", "line": "y"})
SEND = ("mail_send", {"text": "hello"})
DONE = says(text="done")
BUSY = TryAgainError("busy", retry_after_s=999.0)


@pytest.fixture
def device():
    return Device()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "agent"


async def cut_off(model, device, folder, *, at_s=10.0, **more):
    """Work until a crash: what is written then is all that is left."""
    left = folder.with_name("left")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(work(model, device, folder=folder, **more), name="work")
        await asyncio.sleep(at_s)
        assert not running.done()
        shutil.copytree(folder, left)
        running.cancel()
    return left


def reconcile(device, folder, context=CONTEXT):
    return made(Scripted(), device, folder=folder).reconcile(context, {"task": "Do it."})


async def test_a_once_call_that_was_started_leaves_the_outcome_unknown(device, folder):
    left = await cut_off(Scripted(says(APPEND, SLOW, APPEND)), device, folder)
    outcome = await reconcile(device, left)
    assert outcome == Unknown(
        "files.append was started, did not end, and may have taken effect. "
        "Carried out before: files.append."
    )
    assert [name for name, _ in device.done] == ["append", "append"]


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (Unknown("?"), Unknown),
        (Succeeded("sent"), Failed),
        (Failed(FailureKind.SKILL_ERROR, "no"), Failed),
    ],
)
async def test_the_skill_of_a_call_that_was_started_is_asked_what_came_of_it(
    device, folder, found, outcome
):
    left = await cut_off(Scripted(says(SEND)), device, folder)
    device.look_up = found
    known = await reconcile(device, left)
    assert isinstance(known, outcome)
    assert device.done[1:] == [("look", '{"text": "hello"}')]
    if outcome is Failed:
        effect = "took effect" if isinstance(found, Succeeded) else "took no effect"
        assert f"mail.send was cut off, and {effect}." in known.detail


async def test_a_skill_that_is_gone_cannot_be_asked(device, folder):
    left = await cut_off(Scripted(says(SEND)), device, folder)
    device.skills = device.skills[:1]
    assert isinstance(await reconcile(device, left), Unknown)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([says(APPEND), 100.0], "after 1 answers of the model. Carried out before: files.append."),
        ([says(("nap", {"seconds": 50}))], "after 1 answers of the model. No `once` skill"),
        ([100.0], "after 0 answers of the model. No `once` skill"),
    ],
)
async def test_between_once_calls_it_has_failed_and_says_what_was_done(
    device, folder, script, words
):
    left = await cut_off(Scripted(*script), device, folder)
    known = await reconcile(device, left)
    assert known.kind is FailureKind.TRANSIENT
    assert words in known.detail


async def test_a_result_that_was_not_reported_is_the_outcome(device, folder):
    report = await work(Scripted(says(APPEND), DONE), device, folder=folder)
    assert await reconcile(device, folder) == Succeeded(report)
    assert len(device.done) == 1


@pytest.mark.parametrize("context", [later(), replace(CONTEXT, run=RunId("other"))])
async def test_without_a_transcript_nothing_is_known(device, folder, context):
    await work(Scripted(DONE), device, folder=folder)
    assert isinstance(await reconcile(device, folder, context), Unknown)
    assert isinstance(await reconcile(device, None), Unknown)


async def test_a_further_attempt_goes_on_where_the_first_was_cut_off(device, folder):
    nap = ("nap", {"seconds": 50})
    left = await cut_off(Scripted(says(READ, nap, READ)), device, folder)
    model = Scripted(DONE)
    report = await work(model, device, folder=left, context=later())
    assert [name for name, _ in device.done] == ["read", "read"]
    assert model.told() == ["text of /a", "null", "text of /a"]
    assert (report["steps"], report["prompt_tokens"]) == (2, 200)


async def test_a_further_attempt_does_not_repeat_a_once_call_that_may_have_run(device, folder):
    left = await cut_off(Scripted(says(SLOW, APPEND)), device, folder)
    model = Scripted(DONE)
    report = await work(model, device, folder=left, context=later())
    unknown, done = model.told()
    assert json.loads(unknown)["error"] == {
        "kind": "device_lost",
        "detail": "the device stopped while it ran: it may have taken effect: find out before you"
        " do it again",
    }
    assert done == "null"
    assert [each for _, each in device.done] == ["/slow: y as a/1.0", "/c: y as a2/1.1"]
    assert report["effects"] == ["files.append", "files.append"]


async def test_a_further_attempt_asks_the_server_again_and_bounds_count_on(device, folder):
    with pytest.raises(TemporaryError):
        await work(Scripted(says(READ), says(READ), BUSY), device, folder=folder)
    with pytest.raises(TemporaryError):
        await work(Scripted(BUSY), device, folder=folder, context=later(2))
    with pytest.raises(PermanentError, match="the 3 steps"):
        await work(Scripted(says(READ)), device, folder=folder, context=later(3), steps=3)
    assert len(device.done) == 3


async def test_what_former_attempts_took_counts(device, folder):
    dear = replace(says(READ), usage=Usage(50_000, 10))
    with pytest.raises(TemporaryError):
        await work(Scripted(dear, BUSY), device, folder=folder)
    with pytest.raises(PermanentError, match="the 50000 tokens"):
        await work(Scripted(DONE), device, folder=folder, context=later(), tokens=50_000)


async def test_a_further_attempt_has_the_result_that_there_is(device, folder):
    report = await work(Scripted(says(APPEND), DONE), device, folder=folder)
    assert await work(Scripted(), device, folder=folder, context=later()) == report


@pytest.mark.parametrize(
    ("context", "args"),
    [
        (later(), {"data": 7}),
        (replace(later(), run=RunId("other")), {}),
        (replace(later(), token=0), {}),
        (replace(later(), epoch=0), {}),
    ],
)
async def test_another_task_begins_anew(device, folder, context, args):
    with pytest.raises(TemporaryError):
        await work(Scripted(says(READ), BUSY), device, folder=folder)
    report = await work(Scripted(DONE), device, folder=folder, context=context, args=args)
    assert report["steps"] == 1


async def test_nothing_goes_on_from_what_still_runs(device, folder):
    skill = made(Scripted(says(("nap", {"seconds": 50})), DONE, DONE), device, folder=folder)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(skill.call(CONTEXT, {"task": "Do it."}), name="first")
        await asyncio.sleep(10)
        assert (await skill.call(later(), {"task": "Do it."}))["steps"] == 1
    assert first.result()["steps"] == 2


async def test_the_last_line_may_be_cut_off(device, folder):
    with pytest.raises(TemporaryError):
        await work(Scripted(says(READ), BUSY), device, folder=folder)
    [path] = folder.iterdir()
    with path.open("ab") as file:
        file.write(b'{"kind":"said","te')
    assert (await work(Scripted(DONE), device, folder=folder, context=later()))["steps"] == 2


async def test_a_last_answer_that_was_not_taken_is_asked_for_again(device, folder):
    await work(Scripted(says(READ), DONE), device, folder=folder)
    [path] = folder.iterdir()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    model = Scripted(DONE)
    report = await work(model, device, folder=folder, context=later())
    assert [each.role for each in model.asked[0].messages[-2:]] == ["assistant", "user"]
    assert "That answer got lost" in model.asked[0].messages[-1].text
    assert (report["result"], report["steps"]) == ("done", 3)


async def test_doubt_outlives_a_change_of_what_the_owner_allows(device, folder):
    left = await cut_off(Scripted(says(SLOW)), device, folder)
    model = Scripted(DONE)
    report = await work(model, device, folder=left, context=later(), allow=["files.read"])
    assert "it may have taken effect" in model.told()[0]
    assert report["effects"] == ["files.append"]


@pytest.mark.parametrize("line", ["{}", '{"call":0,"text":"","kind":"ended"}'])
async def test_a_transcript_that_makes_no_sense_stops_what_would_go_on_from_it(
    device, folder, line
):
    await work(Scripted(DONE), device, folder=folder)
    [path] = folder.iterdir()
    path.write_text(f"{line}\n")
    with pytest.raises(PermanentError, match=r"cannot be read in .*jsonl: remove the file"):
        await work(Scripted(DONE), device, folder=folder, context=later())
    assert isinstance(await reconcile(device, folder), Unknown)


async def test_transcripts_are_the_owners_alone(device, folder):
    await work(Scripted(DONE), device, folder=folder)
    [path] = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("bound", "value"), [("FILES", 2), ("SIZE_BYTES", 500)])
async def test_the_oldest_transcripts_go_first(device, folder, monkeypatch, bound, value):
    monkeypatch.setattr(transcripts, bound, value)
    for n in range(4):
        await work(
            Scripted(DONE), device, folder=folder, context=replace(CONTEXT, run=RunId(f"r{n}"))
        )
        for path in folder.iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
    assert len(list(folder.iterdir())) <= 3
    assert isinstance(await reconcile(device, folder, replace(CONTEXT, run=RunId("r0"))), Unknown)
    last = await reconcile(device, folder, replace(CONTEXT, run=RunId("r3")))
    assert isinstance(last, Succeeded)


async def test_what_cannot_be_recorded_is_not_done(device, folder, monkeypatch):
    folder.parent.mkdir()
    folder.touch()
    with pytest.raises(TemporaryError, match="no transcript can be written in"):
        await work(Scripted(says(APPEND)), device, folder=folder)
    folder.unlink()

    def full(_path, text, *, sync):
        if sync and "started" in text:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(transcripts, "_append", full)
    with pytest.raises(TemporaryError, match="cannot be written: No space left"):
        await work(Scripted(says(APPEND)), device, folder=folder)
    assert device.done == []
