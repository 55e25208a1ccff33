"""What the checks cost: for benchmarks, which show it beside the goal of 2 ms at 200 tasks."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch, Reason
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.references import FROM
from orchestrator.planner.checks.complete import Goal, complete
from orchestrator.planner.checks.feasible import feasible
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.redundant import redundant
from orchestrator.planner.checks.solvable import solvable
from orchestrator.planner.checks.structure import structure
from orchestrator.planner.checks.whole import hints
from orchestrator.planner.checks.work import Times
from protocol.types import DeviceCard, DeviceId, Effect, Json, SkillInfo, TaskId

DEVICES: Final = 10
SKILLS: Final = 30  # on every device; a third of them is used
WIDTH: Final = 8  # tasks of a layer
ROUNDS: Final = 25  # the quickest is what a check costs; the others say what else went on
GOAL: Final = Goal("'errors' over 2 MB in /var/log/app.log to https://example.com/x")
_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "source": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1},
    },
    "required": ["path"],
    "additionalProperties": False,
}
_OUTPUT: Final[Mapping[str, Json]] = {"type": "object", "properties": {"text": {"type": "string"}}}


def check_ms(tasks: int = 200) -> Mapping[str, float]:
    """Return the milliseconds of each check, of advice (`advise`), and of `all` together.

    Of processor time: they wait for nothing, and others on the machine are not counted.

    The plan has layers that refer to each other, a deadline that it just meets, downtime, and a
    goal; it is right, as most are. What checks share is counted where it is needed first; what
    follows from the cards is known after the first round, as it is in a coordinator.
    """
    batch, cards = EditBatch(0, tuple(_edits(tasks))), tuple(_cards())
    away = {card.device: ((30.0, 40.0),) for card in cards}
    times = Times(deadline=1.1 * tasks / DEVICES + 0.2 * tasks / WIDTH + 20.0, away=away)
    costs: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        began = last = time.thread_time()
        plan, fleet = Plan.of(batch), Fleet.of(cards)
        for name, found in _steps(plan, fleet, times).items():
            if reasons := list(found()):
                raise AssertionError(f"the plan is right, and {name} says {reasons[0].detail}")
            now = time.thread_time()
            costs.setdefault(name, []).append(now - last)
            last = now
        costs.setdefault("all", []).append(last - began)
    return {name: 1e3 * min(seconds) for name, seconds in costs.items()}


def _steps(plan: Plan, fleet: Fleet, times: Times) -> Mapping[str, Callable[[], Iterable[Reason]]]:
    return {
        "structure": lambda: structure(plan),
        "solvable": lambda: solvable(plan, fleet),
        "complete": lambda: complete(plan, fleet, GOAL),
        "redundant": lambda: redundant(plan, fleet, (TaskId(f"t{len(plan.specs) - 1}"),)),
        "feasible": lambda: feasible(plan, fleet, times),
        "advise": lambda: hints(plan, fleet),
    }


def _cards() -> Iterator[DeviceCard]:
    for n in range(DEVICES):
        skills = tuple(
            SkillInfo(f"skill{k}", "", _SCHEMA, _OUTPUT, Effect.IDEMPOTENT) for k in range(SKILLS)
        )
        yield DeviceCard(DeviceId(f"device{n}"), slots=2, skills=skills, speed=1.0 + n / 10)


def _edits(tasks: int) -> Iterator[Edit]:
    for n in range(tasks):
        args: dict[str, Json] = {"path": f"/var/log/app.log.{n}", "limit": n + 1}
        if n >= WIDTH:
            args["source"] = {FROM: f"t{n - WIDTH}", "path": ["text"]}
        else:
            args |= {
                "path": "/var/log/app.log errors https://example.com/x",
                "limit": 2_000_000 + n,
            }
        yield AddTask(TaskSpec(TaskId(f"t{n}"), f"skill{n % 10}", args, estimate_s=1.0))
        if n > WIDTH and n % 2:
            yield AddDependency(Dependency(TaskId(f"t{n - WIDTH - 1}"), TaskId(f"t{n}")))
