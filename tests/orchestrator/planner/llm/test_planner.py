"""The planner, with a model that says what it is told to, on the virtual clock."""

import asyncio
import json
import threading
from dataclasses import replace

import pytest

from orchestrator.core.edits import AddTask, EditBatch, SetArgs
from orchestrator.planner import DeviceView, PlanningError
from orchestrator.planner.checks import check
from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.planner import ROWS, LlmPlanner
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import FolderRecorder, Replayed
from protocol.chat import Budget
from protocol.chat.exchange import Finish, ModelError, Reply, TryAgainError, Usage
from tests.orchestrator.planner.llm.cases import (
    FLEET,
    NOTHING,
    PLAN,
    PROPOSE,
    REVISE,
    TASKS,
)
from tests.support.scripted_model import USAGE, ScriptedModel

CARDS = [view.card for view in FLEET]


def ids(batch):
    return [edit.task.id for edit in batch.edits if isinstance(edit, AddTask)]


def changed(**changes):
    """The plan with its first task changed."""
    return PLAN | {"tasks": [TASKS[0] | changes, TASKS[1]]}


async def test_a_plan_is_proposed_and_passes_the_checks():
    model = ScriptedModel(PLAN)
    batch = await LlmPlanner(model).propose(PROPOSE)
    assert batch.base_revision == 0
    assert ids(batch) == ["find", "join"]
    assert check(batch, CARDS) == ()
    [call] = model.calls
    assert call.form == "ProposalPart"
    assert call.answer_tokens == Sizes().answer_tokens


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("no JSON", {"rule": "json"}),
        (json.dumps(PLAN)[:-9], {"rule": "json"}),
        (Reply(json.dumps(PLAN)[:-9], Finish.LENGTH, USAGE), {"rule": "length"}),
        (changed(skill=7), {"rule": "schema", "task": "find", "where": "tasks.0.skill"}),
        (changed(id="join"), {"rule": "duplicate_task", "task": "join"}),
        (changed(after=[{"task": "join"}]), {"rule": "cycle"}),
        (changed(skill="files.serch"), {"rule": "no_device", "task": "find"}),
        (changed(args=[]), {"rule": "arguments", "task": "find"}),
        (PLAN | {"tasks": []}, {"rule": "empty"}),
        (PLAN | {"cannot": "no"}, {"rule": "schema", "where": "cannot"}),
    ],
)
async def test_what_is_wrong_with_an_answer_goes_back_as_data(answer, told):
    model = ScriptedModel(answer, PLAN)
    assert ids(await LlmPlanner(model).propose(PROPOSE)) == ["find", "join"]
    roles = [each.role for each in model.calls[1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    faults = [json.loads(line) for line in model.last.split("\n")[1:]]
    assert any(told.items() <= fault.items() for fault in faults), faults


async def test_repairs_are_bounded_and_the_end_says_what_to_do():
    model = ScriptedModel(*["no JSON"] * 3)
    with pytest.raises(PlanningError, match=r"gave 3 answers .* since expected ident .*: ask in"):
        await LlmPlanner(model, rounds=Rounds(repairs=2)).propose(PROPOSE)
    assert len(model.calls) == 3


async def test_requests_are_planned_side_by_side_and_alike():
    planner = LlmPlanner(ScriptedModel(*[1.0] * 5, *[PLAN] * 5))
    async with asyncio.TaskGroup() as group:
        plans = [group.create_task(planner.propose(PROPOSE), name=f"plan-{n}") for n in range(5)]
    assert len({str(plan.result()) for plan in plans}) == 1
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


async def test_a_refusal_leaves_the_planner_as_it_was():
    planner = LlmPlanner(ScriptedModel(Reply("No.", Finish.REFUSED, USAGE), PLAN))
    with pytest.raises(PlanningError):
        await planner.propose(PROPOSE)
    assert ids(await planner.propose(PROPOSE)) == ["find", "join"]


async def test_advice_alone_is_not_worth_another_question():
    third = TASKS[1] | {"id": "more", "after": [{"task": "join"}, {"task": "find"}]}
    model = ScriptedModel(PLAN | {"tasks": [*TASKS, third]})
    assert ids(await LlmPlanner(model).propose(PROPOSE)) == ["find", "join", "more"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"cannot": "no camera is there", "tasks": []},
            "the model sees no way: no camera is there; ask in other words",
        ),
        (Reply("I must not.", Finish.REFUSED, USAGE), "the model refuses: I must not.; ask in"),
        (Reply("", Finish.REFUSED, USAGE), "the model refuses; ask in other words"),
        (ModelError("the key was refused: check key_env"), "check key_env"),
    ],
)
async def test_an_answer_that_says_no_is_the_end(answer, sentence):
    model = ScriptedModel(answer)
    with pytest.raises(PlanningError) as caught:
        await LlmPlanner(model).propose(PROPOSE)
    assert sentence in str(caught.value)
    assert len(model.calls) == 1


async def lists_are_long(_request):
    return ["Lists are long."]


async def test_a_revision_is_made_from_the_snapshot_and_reads_what_was_shown():
    args = [{"name": "lines", "value": ["a"]}]
    model = ScriptedModel(NOTHING | {"set_args": [{"task": "join", "args": args}]})
    batch = await LlmPlanner(model, tips=lists_are_long).revise(REVISE)
    assert batch == EditBatch(
        4, (SetArgs("join", {"lines": ["a"]}),), ("join", "find", "broken", "send", "each")
    )
    asked = model.calls[0].messages[1].text
    for words in (
        "the list\\nis too long",
        'Tried on: ["nas","pi"]',
        "- Lists are long.",
        "revision 4",
    ):
        assert words in asked


@pytest.mark.parametrize(
    "change",
    [
        {"set_args": [{"task": "find", "args": []}]},
        {"replace_tasks": [{"id": "find", "skill": "text.join"}]},
        {"remove_tasks": ["find"]},
        {"add_dependencies": [{"predecessor": "other", "successor": "find"}]},
        {"remove_dependencies": [{"predecessor": "other", "successor": "find"}]},
    ],
)
async def test_a_revision_of_what_has_started_goes_back(change):
    good = NOTHING | {"cancel_tasks": ["send"]}
    model = ScriptedModel(NOTHING | change, good)
    await LlmPlanner(model).revise(REVISE)
    assert "task 'find' is succeeded: it may only be cancelled" in model.last


async def test_a_revision_that_refers_to_nothing_goes_back():
    added = {"id": "new", "skill": "text.join", "args": {"lines": {"$from": "fnd"}}}
    model = ScriptedModel(NOTHING | {"add_tasks": [added]}, NOTHING | {"cancel_tasks": ["send"]})
    await LlmPlanner(model).revise(REVISE)
    assert '"rule":"reference"' in model.last


async def test_a_revision_in_another_form_goes_back():
    model = ScriptedModel(PLAN, NOTHING | {"cancel_tasks": ["send"]})
    await LlmPlanner(model).revise(REVISE)
    assert "'tasks' is not known here" in model.last


async def test_what_nothing_helps_is_said():
    model = ScriptedModel(NOTHING | {"cannot": "the disk is gone"})
    with pytest.raises(PlanningError, match="sees no way: the disk is gone"):
        await LlmPlanner(model).revise(REVISE)


async def test_a_server_is_asked_again_after_a_pause_with_seeded_jitter():
    errors = [TryAgainError("busy") for _ in range(3)]
    model = ScriptedModel(*errors, PLAN)
    await LlmPlanner(model).propose(PROPOSE)
    pauses = [after - before for before, after in zip(model.at, model.at[1:], strict=False)]
    for n, pause in enumerate(pauses):
        assert 0.8 * 2**n <= pause < 1.2 * 2**n
    again, other = ScriptedModel(*errors, PLAN), ScriptedModel(*errors, PLAN)
    start = asyncio.get_running_loop().time()
    await LlmPlanner(again).propose(PROPOSE)
    assert [at - start for at in again.at] == pytest.approx(model.at)
    start = asyncio.get_running_loop().time()
    await LlmPlanner(other).propose(replace(PROPOSE, seed=4))
    assert [at - start for at in other.at] != pytest.approx(model.at)


async def test_a_server_that_says_when_is_asked_then_and_not_before():
    model = ScriptedModel(TryAgainError("busy", retry_after_s=17.0), PLAN)
    await LlmPlanner(model).propose(PROPOSE)
    assert model.at == [0.0, 17.0]


async def test_a_server_that_asks_for_too_long_a_pause_is_given_up():
    model = ScriptedModel(TryAgainError("busy: try again later", retry_after_s=3600.0), PLAN)
    with pytest.raises(PlanningError, match="busy: try again later"):
        await LlmPlanner(model).propose(PROPOSE)
    assert len(model.calls) == 1


async def test_tries_are_bounded():
    model = ScriptedModel(*[TryAgainError("busy")] * 4)
    with pytest.raises(PlanningError, match="busy"):
        await LlmPlanner(model).propose(PROPOSE)
    assert len(model.calls) == 4


async def test_every_call_is_charged_to_its_run():
    model = ScriptedModel(TryAgainError("broke off", usage=Usage(500, 7)), "no JSON", PLAN, PLAN)
    planner = LlmPlanner(model, budget=Budget(prompt_price=0.01, answer_price=0.02))
    await planner.propose(PROPOSE)
    account = planner.accounts.of("r1")
    assert account.tokens == 507 + 2 * 1100
    assert account.money == pytest.approx((2500 * 0.01 + 207 * 0.02) / 1000)
    assert 0.8 <= account.seconds < 1.2
    await planner.propose(replace(PROPOSE, run="r2"))
    assert planner.accounts.of("r2").tokens == 1100


async def test_repairs_end_with_the_budget():
    model = ScriptedModel(*["no JSON"] * 9)
    planner = LlmPlanner(model, budget=Budget(tokens=9000), rounds=Rounds(repairs=9))
    with pytest.raises(PlanningError, match="has 1300 of 9000 tokens left"):
        await planner.propose(PROPOSE)
    assert 3 <= len(model.calls) <= 7
    assert planner.accounts.of("r1").tokens <= 9000


async def test_the_answer_gets_what_the_budget_has_left():
    model = ScriptedModel(PLAN)
    await LlmPlanner(model, budget=Budget(tokens=4000)).propose(PROPOSE)
    assert 256 <= model.calls[0].answer_tokens < 3000


async def test_the_time_of_a_run_is_bounded_over_all_its_questions():
    model = ScriptedModel(4.0, PLAN, 4.0, PLAN, 4.0, PLAN)
    planner = LlmPlanner(model, budget=Budget(seconds=10.0))
    await planner.propose(PROPOSE)
    await planner.propose(PROPOSE)
    with pytest.raises(PlanningError, match=r"used up the 10 s .* raise run_s"):
        await planner.propose(PROPOSE)
    assert asyncio.get_running_loop().time() == pytest.approx(10.0)
    with pytest.raises(PlanningError, match="used up the 10 s"):
        await planner.propose(PROPOSE)
    assert len(model.calls) == 3


async def test_a_call_that_was_cancelled_stays_charged():
    planner = LlmPlanner(ScriptedModel(60.0, PLAN))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await planner.propose(PROPOSE)
    account = planner.accounts.of("r1")
    assert account.tokens > Sizes().answer_tokens
    assert account.seconds == pytest.approx(5.0)


@pytest.mark.parametrize("last", [PLAN, ModelError("it refused: come later")])
async def test_what_was_recorded_is_replayed_with_its_repairs(tmp_path, last):
    def planner(model, recorder=None):
        return LlmPlanner(model, recorder=recorder)

    async def outcome(planner):
        try:
            return await planner.propose(PROPOSE)
        except PlanningError as error:
            return str(error)

    script = ScriptedModel(TryAgainError("busy"), "no JSON", last)
    first = await outcome(planner(script, FolderRecorder(tmp_path)))
    assert await outcome(planner(Replayed(tmp_path))) == first
    assert sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir()) == 2


@pytest.mark.parametrize(("devices", "on_the_loop"), [(3, True), (ROWS + 1, False)])
async def test_what_takes_long_is_done_beside_the_loop(devices, on_the_loop):
    seen = set()

    class Labels(dict):
        def items(self):
            seen.add(threading.get_ident())
            return super().items()

    view = DeviceView(replace(CARDS[0], labels=Labels(role="storage")))
    await LlmPlanner(ScriptedModel(PLAN)).propose(replace(PROPOSE, fleet=(view,) * devices))
    assert seen
    assert (seen == {threading.get_ident()}) == on_the_loop
    assert (threading.get_ident() in seen) == on_the_loop
