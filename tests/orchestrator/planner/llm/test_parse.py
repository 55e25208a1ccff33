import time

import pytest

from orchestrator.core.edits import Reason
from orchestrator.planner.llm.parse import Fault, parse
from orchestrator.planner.llm.schema import ProposalPart, RevisionPart
from protocol.chat.embedded import STARTS

TASK = '{"id": "a", "skill": "s", "args": [{"name": "x", "value": "} {"}]}'
PLAN = f'{{"cannot": null, "tasks": [{TASK}]}}'


def plan(text):
    return parse(text, ProposalPart)


@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        f"\n  {PLAN}\n",
        f"```json\n{PLAN}\n```",
        f"Here is the plan:\n```\n{PLAN}\n```\nGood luck!",
        f'<think>Perhaps {{"tasks": []}}? No.</think>{PLAN}',
        f"The object {{}} is empty, and {{this}} is none. {PLAN}",
        f"An open {{ brace, then: {PLAN}",
        f'{PLAN} {{"tasks": []}}',
        '{"tasks": [{"id": "a", "skill": "s", "args": {"x": "} {"}}], "cannot": null}',
        '{"tasks": [{"id": "a", "skill": "s", "args": {"x": "\\"} {"}}]}'.replace('\\"', ""),
    ],
)
def test_the_answer_is_found_in_what_a_model_says_around_it(text):
    assert plan(text).tasks[0].args[0].value == "} {"


def test_escapes_do_not_end_a_text():
    answer = plan('so: {"tasks": [{"id": "a", "skill": "s", "args": {"x": "\\\\\\"}"}}]} done')
    assert answer.tasks[0].args[0].value == '\\"}'


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "EOF"),
        ("I would rather not.", "expected value"),
        (PLAN[:-5], "EOF"),
        ('{"tasks": [{"id": "a", "skill": "s"}, {"id": "b"', "EOF"),
        ('{"tasks": [NaN]}', "expected value"),
        ('{"tasks": "\\ud800"}', "escape"),
        ("[" * 5000, "recursion"),
    ],
)
def test_what_is_no_json_is_one_fault(text, detail):
    [fault] = plan(text)
    assert (fault.rule, fault.task) == ("json", None)
    assert detail in fault.detail


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", Fault("json", "an object with cannot, tasks is expected")),
        ('{"taks": []}', Fault("json", "an object with cannot, tasks is expected")),
        ("[]", Fault("json", "an object with cannot, tasks is expected")),
        (
            '{"tasks": [], "taks": []}',
            Fault("schema", "'taks' is not known here", None, "taks"),
        ),
        (
            '{"tasks": [{"id": "a"}]}',
            Fault("schema", "'skill' is missing", "a", "tasks.0.skill"),
        ),
        (
            '{"tasks": [{"id": "a", "skill": "s", "device": 5}]}',
            Fault("schema", "Input should be a valid string, got 5", "a", "tasks.0.device"),
        ),
        (
            '{"tasks": [7]}',
            Fault(
                "schema",
                "Input should be an object, got 7",
                None,
                "tasks.0",
            ),
        ),
    ],
)
def test_a_fault_names_rule_task_and_place(text, fault):
    assert plan(text) == (fault,)


def test_a_fault_in_other_arguments_names_their_task():
    [fault] = parse('{"set_args": [{"task": "b", "args": 1}]}', RevisionPart)
    assert (fault.task, fault.where) == ("b", "set_args.0.args")


def test_the_faults_of_an_object_say_more_than_that_there_are_words_around_it():
    faults = plan('Sure! {"tasks": [{"id": "a"}]}')
    assert [each.rule for each in faults] == ["schema"]


def test_faults_are_bounded_and_told_without_what_is_unknown():
    faults = plan('{"tasks": [' + ", ".join(['{"id": "a"}'] * 40) + "]}")
    assert len(faults) == 12
    assert Fault("json", "none").told() == {"rule": "json", "detail": "none"}
    reason = Reason("cycle", "a", "a → b → a")
    assert Fault.of(reason).told() == {"rule": "cycle", "detail": "a → b → a", "task": "a"}


def test_a_hostile_answer_takes_little_time():
    text = '{"a":' * 12_800  # 16 characters for each of 4,000 tokens
    began = time.process_time()
    assert plan(text)[0].rule == "json"
    assert time.process_time() - began < 3.0  # seen: 0.25 s
    assert plan("{ " * STARTS + PLAN)[0].rule == "json"  # too many that begin and never end
