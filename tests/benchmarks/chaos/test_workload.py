from collections import Counter

from agents.skills import Skills
from benchmarks.chaos.skills import SKILLS
from benchmarks.chaos.workload import RECEIPT, WORK_S, plan
from orchestrator.service.arguments import Submit
from protocol.types import Effect


def tasks(number, seed=0):
    return [each["add_task"] for each in plan(number, seed=seed, log="log")["edits"]]


def test_plans_come_from_the_seed_and_the_number_of_the_run():
    assert tasks(1) == tasks(1)
    assert tasks(1) != tasks(2)
    assert tasks(1) != tasks(1, seed=1)


def test_service_takes_every_plan():
    for number in range(50):
        args = Submit.model_validate({"request": "x", "plan": plan(number, seed=0, log="log")})
        assert args.plan is not None
        assert len(args.plan.batch(0).edits) == len(tasks(number))


def test_runs_have_10_to_19_tasks_of_20_to_300_ms():
    for number in range(200):
        listed = {task["id"]: task for task in tasks(number)}
        executed = len(listed) - 1 + listed["gather"]["args"]["items"]
        assert 10 <= executed <= 19
        assert all(WORK_S[0] <= t["args"]["work_s"] <= WORK_S[1] for t in listed.values())


def test_every_effect_class_is_there_and_what_cannot_be_looked_up_is_a_leaf():
    skills = Skills(SKILLS)
    drawn = Counter(task["skill"] for number in range(200) for task in tasks(number))

    share = {name: count / drawn.total() for name, count in drawn.items()}
    assert {skills[name].info.effect for name in drawn} == set(Effect)
    assert 0.05 < share[RECEIPT] < 0.15
    assert skills[RECEIPT].reconcile is None
    for number in range(50):
        given = {edge["$from"] for task in tasks(number) for edge in task["args"]["given"]}
        leaves = {task["id"] for task in tasks(number) if task["skill"] == RECEIPT}
        assert not given & leaves
