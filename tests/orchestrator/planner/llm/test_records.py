import json
import stat

import pytest

from orchestrator.planner import PlanningError
from orchestrator.planner.llm import texts
from orchestrator.planner.llm.records import FILES, Exchange, FolderRecorder, Replayed
from protocol.chat.exchange import Call, Finish, Message, ModelError, Reply, Usage

SECRET = "my-own-secret-1"  # noqa: S105 - it only looks like one


def call(words="Do it."):
    messages = (Message("system", "Plan."), Message("user", words))
    return Call(messages, "Plan", {"type": "object"}, 100)


def exchange(words="Do it.", answer="done", error=""):
    reply = None if error else Reply(answer, Finish.STOP, Usage(3, 1))
    return Exchange("r", call(words), reply, error, Usage(3, 1), 1.23456)


def lines(folder):
    return [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


async def test_what_is_recorded_is_replayed_in_order(tmp_path):
    recorder = FolderRecorder(tmp_path / "records")
    for each in (exchange(answer="one"), exchange("Else."), exchange(answer="two")):
        recorder.record(each)
    model = Replayed(tmp_path / "records")
    assert [(await model.complete(call())).text for _ in range(2)] == ["one", "two"]
    assert await model.complete(call("Else.")) == Reply("done", Finish.STOP, Usage(3, 1))
    with pytest.raises(ModelError, match=r"no .* record of this question"):
        await model.complete(call())


async def test_an_error_is_replayed_too(tmp_path):
    FolderRecorder(tmp_path).record(exchange(error="it refused: come later"))
    with pytest.raises(ModelError, match="it refused: come later") as caught:
        await Replayed(tmp_path).complete(call())
    assert caught.value.usage == Usage(3, 1)


def test_a_record_says_what_a_person_needs(tmp_path):
    FolderRecorder(tmp_path).record(exchange())
    [record] = map(json.loads, lines(tmp_path))
    del record["question"]
    assert record == {
        "version": texts.VERSION,
        "run": "r",
        "messages": [
            {"role": "system", "text": "Plan."},
            {"role": "user", "text": "Do it."},
        ],
        "form": "Plan",
        "answer_tokens": 100,
        "finish": "stop",
        "answer": "done",
        "error": "",
        "usage": {"prompt_tokens": 3, "answer_tokens": 1},
        "seconds": 1.235,
    }


async def test_secrets_are_left_out_and_the_question_is_known_all_the_same(tmp_path):
    words = f"use {SECRET} and Bearer abcdefgh"
    FolderRecorder(tmp_path, secrets=[SECRET]).record(exchange(words, "sk-0123456789abc"))
    [line] = lines(tmp_path)
    for secret in (SECRET, "abcdefgh", "sk-0123456789abc"):
        assert secret not in line
    assert (await Replayed(tmp_path).complete(call(words))).text == "[secret]"


def test_records_are_for_their_owner_alone(tmp_path):
    FolderRecorder(tmp_path / "a" / "b").record(exchange())
    [path] = (tmp_path / "a" / "b").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    size_bytes = 16_000
    for n in range(100):
        FolderRecorder(tmp_path, size_bytes=size_bytes).record(exchange(f"question {n}"))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= size_bytes
    assert len(list(tmp_path.iterdir())) == FILES
    kept = [json.loads(line)["messages"][1]["text"] for line in lines(tmp_path)]
    assert kept == [f"question {n}" for n in range(100 - len(kept), 100)]
    assert len(kept) > 20


def test_one_that_is_too_large_is_left_out(tmp_path):
    recorder = FolderRecorder(tmp_path, size_bytes=8000)
    recorder.record(exchange("x" * 1000))
    assert lines(tmp_path) == []
    recorder.record(exchange())
    assert len(lines(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PlanningError, match=r"cannot be recorded in .*; make room, or take"):
        FolderRecorder(tmp_path / "file").record(exchange())


@pytest.mark.parametrize("text", ["{}\n", "{\n", "[]\n"])
def test_what_is_no_record_cannot_be_replayed(tmp_path, text):
    (tmp_path / "exchanges-00000001.jsonl").write_text(text)
    with pytest.raises(PlanningError, match=r"exchanges-00000001.jsonl cannot be replayed"):
        Replayed(tmp_path)
