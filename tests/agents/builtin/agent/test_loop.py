"""What the model may do, and what it is told: a scripted model on the virtual clock."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from agents.skills import BadInputError, LeaseLostError, PermanentError, TemporaryError
from protocol.chat import Finish, Message, ModelError, TryAgainError, Usage
from protocol.types import Effect
from tests.agents.builtin.agent.cases import CONTEXT, KEY, Device, Scripted, made, says, work

READ = ("files_read", {"path": "/a"})
DONE = says(text="done")


def error(text):
    return json.loads(text)["error"]


@pytest.fixture
def device():
    return Device()


async def test_calls_are_carried_out_in_order_and_the_last_words_are_the_result(device):
    both = says(("files_write", {"path": "/b", "text": "x"}), READ, text="First this.")
    model = Scripted(
        both, says(("files.append", {"path": "/c", "line": "y"})), says(text=" It is. ")
    )
    report = await work(model, device)
    assert device.done == [
        ("write", "/b: x"),
        ("read", "/a"),
        ("append", "/c: y as a/2.0"),
    ]
    assert model.told(1) == ["1", "text of /a"]
    assert model.told(2) == ["null"]
    assert (report["result"], report["steps"]) == ("It is.", 3)
    assert (report["prompt_tokens"], report["answer_tokens"]) == (300, 30)
    assert report["effects"] == ["files.append"]


async def test_questions_only_grow_so_that_the_server_can_keep_their_beginning(device):
    model = Scripted(*(says(("files_read", {"path": f"/{n}"})) for n in range(5)), DONE)
    await work(model, device, args={"data": {"n": 1}})
    for before, after in zip(model.asked, model.asked[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages
        assert after.tools == before.tools
    system, user = model.asked[0].messages
    assert system.role == "system"
    assert user == Message("user", 'Do it.\n\nData for the task, as JSON:\n{"n":1}')


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("rm", {}), "rm: there is no such tool, only files_read, files_write"),
        (("nap", {"seconds": 1}), "nap: the owner of the device does not allow it here"),
        (("files_read", '{"path":'), "the arguments are not JSON"),
        (("files_read", "[1]"), "the arguments are no object"),
        (("files_read", {"path": 7}), "path: write text, got 7"),
        (("files_read", {"paht": "x"}), "there is no argument 'paht', did you mean 'path'?"),
        (("files_read", ""), "'path' is missing"),
    ],
)
async def test_a_call_that_may_not_be_or_does_not_fit_is_data(device, call, words):
    model = Scripted(says(call), DONE)
    assert (await work(model, device, allow=["files.*"]))["result"] == "done"
    [told] = model.told()
    assert error(told)["kind"] == "bad_input"
    assert words in error(told)["detail"]
    assert device.done == []


async def test_a_once_call_that_does_not_fit_has_taken_no_effect(device):
    report = await work(Scripted(says(("files_append", {"path": "/c"})), DONE), device)
    assert (report["effects"], device.done) == ([], [])


async def test_what_the_policy_keeps_from_a_caller_is_no_tool(device):
    model = Scripted(says(READ, ("files_write", {"path": "/b", "text": "x"})), DONE)
    await work(model, device, permits=lambda name: name != "files.read")
    assert "files_read" not in [each.name for each in model.asked[0].tools]
    denied, done = model.told()
    assert "files_read: there is no such tool" in error(denied)["detail"]
    assert done == "1"
    assert device.done == [("write", "/b: x")]
    model = Scripted(says(("files.read", {"path": "/a"})), DONE)
    await work(model, device, permits=lambda name: name != "files.read")
    assert "the policy of the device does not allow it" in error(model.told()[0])["detail"]


async def test_the_model_cannot_call_itself(device):
    others = Device()
    others.skills = (*device.skills, made(Scripted(), device))
    model = Scripted(says(("agent.do", {"task": "Do it."})), DONE)
    await work(model, others)
    assert "there is no such tool" in error(model.told()[0])["detail"]


@pytest.mark.parametrize(
    ("allow", "effect"),
    [
        (["files.read", "nap"], Effect.PURE),
        (["files.read", "files.write"], Effect.IDEMPOTENT),
        (["files.*"], Effect.ONCE),
        (["none"], Effect.PURE),
    ],
)
def test_it_is_as_strict_as_the_strictest_skill_it_may_use(device, allow, effect):
    assert made(Scripted(), device, allow=allow).info.effect is effect


async def test_errors_of_skills_are_data_without_secrets(device):
    sk = "sk-abcdefgh12345"
    once = ("files_append", {"path": "/full", "line": "y"})
    model = Scripted(says(("broken", {}), once, ("files_read", {"path": sk})), DONE)
    report = await work(model, device, headers={"x-key": KEY})
    broken, full, read = model.told()
    assert error(broken) == {
        "kind": "skill_error",
        "detail": "it is broken, and the key is [secret]",
    }
    assert error(full)["kind"] == "transient"
    assert "no space left (it may have taken effect: find out" in error(full)["detail"]
    assert read == "text of [secret]"
    assert KEY not in report["transcript"]
    assert sk not in report["transcript"]


async def test_a_lapsed_lease_stops_before_the_next_effect(device):
    live = iter([True, True, False])
    context = replace(CONTEXT, lease_live=lambda: next(live))
    line = ("files_append", {"path": "/c", "line": "y"})
    with pytest.raises(LeaseLostError):
        await work(Scripted(says(line, line)), device, context=context)
    assert len(device.done) == 1


async def test_a_lease_that_lapses_in_a_skill_ends_the_attempt(device):
    live = iter([True, False])
    context = replace(CONTEXT, lease_live=lambda: next(live))
    line = ("files_append", {"path": "/c", "line": "y"})
    with pytest.raises(LeaseLostError):
        await work(Scripted(says(line), DONE), device, context=context)
    assert device.done == []


async def test_long_results_are_cut(device):
    path = "x" * 5000
    model = Scripted(says(("files_read", {"path": path})), DONE)
    await work(model, device, result_characters=100)
    assert model.told()[0].endswith("(4908 characters more)")


async def test_progress_says_where_it_is(device):
    heard = []
    context = replace(CONTEXT, on_progress=lambda share, note: heard.append((share, note)))
    line = ("files_append", {"path": "/c", "line": "y"})
    await work(Scripted(says(line), DONE), device, context=context, steps=10)
    assert heard == [
        (0.0, "step 1"),
        (0.1, "step 1: files.append"),
        (0.1, "halfway"),
        (0.1, "step 2"),
    ]


# Results

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


async def test_a_result_that_does_not_fit_its_schema_is_asked_for_again(device):
    answers = [
        says(text="soon"),
        says(text='{"n": "1"}'),
        says(text='So:\n```json\n{"n": 1}\n```'),
    ]
    model = Scripted(*answers)
    report = await work(model, device, args={"result_schema": SCHEMA})
    assert report["result"] == {"n": 1}
    assert '"required":["n"]' in model.asked[0].messages[0].text
    assert "it is no JSON" in model.asked[1].messages[-1].text
    assert "$.n: '1' is not of type 'integer'" in model.asked[2].messages[-1].text


@pytest.mark.parametrize(
    ("schema", "answers"),
    [
        ({"type": "strnig"}, []),
        ({"$ref": "#"}, [says(text="{}")]),
    ],
)
async def test_a_schema_that_cannot_be_used_is_bad_input(device, schema, answers):
    with pytest.raises(BadInputError, match="result_schema"):
        await work(Scripted(*answers), device, args={"result_schema": schema})


async def test_answers_that_are_cut_off_or_empty_are_asked_for_again(device):
    cut = says(READ, READ, finish=Finish.LENGTH)
    model = Scripted(cut, says(text="It w", finish=Finish.LENGTH), says(text="  "), DONE)
    assert (await work(model, device))["result"] == "done"
    assert ["cut off at its limit of 4096" in error(each)["detail"] for each in model.told(1)] == [
        True,
        True,
    ]
    assert "was cut off" in model.asked[2].messages[-1].text
    assert "was empty" in model.asked[3].messages[-1].text
    assert device.done == []


@pytest.mark.parametrize("text", ["I will not.", ""])
async def test_a_refusal_is_the_end(device, text):
    with pytest.raises(PermanentError, match=f"the model refuses(: {text})?"):
        await work(Scripted(says(text=text, finish=Finish.REFUSED)), device)


async def test_a_schema_is_fetched_from_nowhere(device):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        schema = {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/schema"}
        with pytest.raises(BadInputError, match="result_schema cannot be used"):
            await work(Scripted(says(text="{}")), device, args={"result_schema": schema})
        with pytest.raises(BlockingIOError):
            server.accept()


# Bounds

LOOPS = [says(READ)] * 100


@pytest.mark.parametrize(
    ("bounds", "words", "steps"),
    [
        ({"steps": 3}, "the 3 steps that a task may take are used up: raise steps in", 3),
        (
            {"tokens": 6000, "steps": 99},
            "the 6000 tokens that a task may take .* raise tokens in",
            None,
        ),
        (
            {"money": 0.5, "steps": 99, "prompt_price": 0.1, "answer_price": 1.0},
            "the 0.5 of money that a task may take .* raise money in",
            None,
        ),
    ],
)
async def test_a_model_that_never_ends_is_stopped(device, bounds, words, steps):
    model = Scripted(*LOOPS)
    with pytest.raises(PermanentError, match=words):
        await work(model, device, **bounds)
    assert 2 <= len(model.asked) <= 60
    assert steps in {None, len(model.asked)}


async def test_what_was_carried_out_is_said_when_a_bound_is_met(device):
    line = ("files_append", {"path": "/c", "line": "y"})
    with pytest.raises(PermanentError, match=r"Carried out before: files.append, files.append"):
        await work(Scripted(says(line, line)), device, steps=1)


@pytest.mark.parametrize("slow", ["model", "skill"])
async def test_time_is_bounded(device, slow):
    nap = ("nap", {"seconds": 200})
    model = Scripted(300.0) if slow == "model" else Scripted(says(nap))
    with pytest.raises(PermanentError, match=r"the 100 s that a task may take .* raise seconds"):
        await work(model, device, seconds=100)
    assert asyncio.get_running_loop().time() == pytest.approx(100)


async def test_a_once_call_comes_to_its_end_though_time_is_up(device):
    slow = ("files_append", {"path": "/slow", "line": "y"})
    with pytest.raises(PermanentError, match=r"Carried out before: files.append"):
        await work(Scripted(says(slow)), device, seconds=50)
    assert asyncio.get_running_loop().time() == pytest.approx(100)


async def test_what_it_costs_is_said(device):
    report = await work(Scripted(says(READ), DONE), device, prompt_price=1.0, answer_price=10.0)
    assert report["cost"] == pytest.approx(2 * (0.1 + 0.1))


# Servers

BUSY = TryAgainError("busy", usage=Usage(100, 0))


async def test_a_busy_server_is_asked_again(device):
    model = Scripted(BUSY, TryAgainError("busy", retry_after_s=30.0), DONE)
    assert (await work(model, device))["result"] == "done"
    assert 30.8 <= asyncio.get_running_loop().time() <= 31.2


@pytest.mark.parametrize(
    ("failure", "kind", "tries"),
    [
        (BUSY, TemporaryError, 4),
        (TryAgainError("busy", retry_after_s=600.0), TemporaryError, 1),
        (ModelError("the key was refused"), PermanentError, 1),
    ],
)
async def test_a_server_that_does_not_answer_fails_the_attempt(device, failure, kind, tries):
    model = Scripted(*[failure] * 9)
    with pytest.raises(kind, match=str(failure)):
        await work(model, device)
    assert len(model.asked) == tries


async def test_waiting_for_a_server_counts(device):
    busy = TryAgainError("busy", retry_after_s=30.0)
    with pytest.raises(PermanentError, match="raise seconds"):
        await work(Scripted(*[busy] * 9), device, tries=9, seconds=100)
