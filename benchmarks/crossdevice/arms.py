"""Who plans and places: ours, and what others do.

| arm | what is different |
| --- | --- |
| `ours` | nothing |
| `sequential` | one call at a time, each where it is done first |
| `no_replanning` | a task that cannot be mended fails: no revision is made |
| `no_move` | every task is bound at planning to one device that can do it, in turn |
| `static` | the same, to the device that a list schedule of the plan says |
| `model` | a model endpoint plans, from the request alone (`endpoint`) |
| `slow_planner` | the planner thinks for a second; all else goes on meanwhile |
| `stop_world` | the same, and nothing is placed while it thinks |
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from benchmarks.crossdevice.bounds import eligible
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import reference_s
from orchestrator.core.edits import AddTask, EditBatch, ReplaceTask
from orchestrator.core.model import TaskSpec
from orchestrator.planner import NoRevisionError, Planner, PlanRequest, RevisionRequest
from protocol.types import DeviceId

OURS: Final = "ours"
THINKS_S: Final = 1.0
Choose: TypeAlias = Callable[[TaskSpec, Counter[str]], str]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way.

    Attributes:
        revises: whether failures are brought before the planner.
        bind: how tasks get their device at planning; None: as they become ready.
        exclusive: whether one call at a time is made on the whole fleet (`hardware`).
        stops: whether everything stops while the planner thinks.
        thinks_s: how long it thinks.
        model: whether a model plans, and not the reference.
        beside: the arm that its latency is compared with: what differs is one thing.
    """

    revises: bool = True
    bind: Choose | None = None
    exclusive: bool = False
    stops: bool = False
    thinks_s: float = 0.0
    model: bool = False
    beside: str = OURS


def _in_turn(spec: TaskSpec, load: Counter[str]) -> str:
    able = _able(spec)
    return min(able, key=lambda name: (load[name], able.index(name))) if able else ""


def _fastest(spec: TaskSpec, load: Counter[str]) -> str:
    del load  # one call at a time: nothing else is in the way
    return max(_able(spec), key=lambda name: FLEET[name].hardware.speed, default="")


def _by_list(spec: TaskSpec, load: Counter[str]) -> str:
    """Choose who has done it first, with what it was given before."""
    work = reference_s(spec.skill, spec.args)

    def done(name: str) -> float:
        hardware = FLEET[name].hardware
        return (load[name] + work) / (hardware.speed * hardware.slots) + work / hardware.speed

    return min(_able(spec), key=done, default="")


ARMS: Final[Mapping[str, Arm]] = {
    OURS: Arm(),
    "sequential": Arm(bind=_fastest, exclusive=True),
    "no_replanning": Arm(revises=False),
    "no_move": Arm(bind=_in_turn),
    "static": Arm(bind=_by_list),
    "model": Arm(model=True),
    "slow_planner": Arm(thinks_s=THINKS_S),
    "stop_world": Arm(stops=True, thinks_s=THINKS_S, beside="slow_planner"),
}


class ArmPlanner:
    """A planner whose answers are changed as an arm says."""

    def __init__(self, planner: Planner, arm: Arm) -> None:
        self._planner = planner
        self._arm = arm

    async def propose(self, request: PlanRequest) -> EditBatch:
        """See `Planner`."""
        return self._bound(await self._planner.propose(request))

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """See `Planner`."""
        if not self._arm.revises:
            raise NoRevisionError("this arm makes no revisions")
        return self._bound(await self._planner.revise(request))

    def _bound(self, batch: EditBatch) -> EditBatch:
        if self._arm.bind is None:
            return batch
        load: Counter[str] = Counter()
        return replace(batch, edits=tuple(self._edits(batch, self._arm.bind, load)))

    def _edits(self, batch: EditBatch, bind: Choose, load: Counter[str]) -> Iterator[Any]:
        for edit in batch.edits:
            if not isinstance(edit, AddTask | ReplaceTask) or _everywhere(edit.task):
                yield edit
                continue
            chosen = bind(edit.task, load)
            load[chosen] += reference_s(edit.task.skill, edit.task.args)  # type: ignore[assignment]
            device = DeviceId(chosen) if chosen else edit.task.needs.device
            needs = replace(edit.task.needs, device=device)
            yield replace(edit, task=replace(edit.task, needs=needs))


def _everywhere(spec: TaskSpec) -> bool:
    """Tell whether it becomes a task on every device of some kind."""
    return spec.for_each is not None and spec.for_each.source is None


def _able(spec: TaskSpec) -> tuple[str, ...]:
    needs = {"device": spec.needs.device, "labels": spec.needs.labels}
    return eligible({"skill": spec.skill, "needs": needs})
