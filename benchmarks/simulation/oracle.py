"""Who judges a world. What it says comes from outside: facts, disks, the store, never the log.

`Witness` follows the durable facts as they come; the functions look at the end.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from agents.actions import AttemptRow
from benchmarks.simulation.fleet import WorldDevice
from benchmarks.simulation.kinds import COSTS_SUCCESS, Fault, Kind
from benchmarks.simulation.plans import SESSION
from benchmarks.simulation.setting import Setting
from benchmarks.simulation.store import Store
from orchestrator.core import facts as f
from orchestrator.core.engine import Engine
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.rows import every, freeze
from orchestrator.journal import Recovered
from orchestrator.snapshots import recover
from protocol.types import AttemptId, DeviceId, Effect, RunId, TaskId

VOLATILE: Final = frozenset({"due", "silent_at", "lease_until", "seen_at"})
"""Columns of rows that a restart sets anew."""
OUTAGES: Final = frozenset(Kind) - {Kind.SLOW, Kind.DUPLICATE, Kind.REDELIVER, Kind.REORDER}
MAX_JUMPS: Final = 2  # of at most 91 s each, against limits of 400 s


class ViolationError(AssertionError):
    """Something happened that must not."""


class Witness:
    """Follows the durable facts: what has ended stays so, and numbers rise."""

    def __init__(self) -> None:
        self.placed: dict[DeviceId, list[Any]] = {}
        """The attempts that each device was given, in order."""
        self.ended: set[RunId] = set()
        self._succeeded: set[tuple[RunId, TaskId]] = set()
        self._live: dict[tuple[RunId, TaskId], dict[AttemptId, None]] = {}
        self._token = 0

    def see(self, fact: f.Fact, devices: Collection[WorldDevice]) -> None:
        """Take the next fact.

        Raises:
            ViolationError: it contradicts what was before.
        """
        match fact:
            case f.TaskPlaced(run, task, attempt, device=device, token=token):
                if (run, task) in self._succeeded:
                    raise ViolationError(f"{task} of {run} was finished and is placed again")
                if token <= self._token:
                    raise ViolationError(f"I9: token {token} after {self._token}")
                self._token = token
                self.placed.setdefault(device, []).append(attempt)
            case f.AttemptSucceeded(run, task, held=False) | f.TaskSettled(run, task, by="plan"):
                if (run, task) in self._succeeded:
                    raise ViolationError(f"I6: {task} of {run} succeeded twice")
                self._succeeded.add((run, task))
            case f.AttemptLost(attempt=attempt, reason=reason) if "no longer knows" in reason:
                if not any(device.crashed or device.lied for device in devices):
                    raise ViolationError(f"attempt {attempt} was taken for lost and is not")
            case f.RunEnded(run):
                if run in self.ended:
                    raise ViolationError(f"I6: {run} ended twice")
                self.ended.add(run)
            case _:
                pass
        self._follow(fact)

    def _follow(self, fact: f.Fact) -> None:
        """I4: one live attempt a task and, if nothing forbids that, one hedge beside it."""
        match fact:
            case f.TaskPlaced(run, task, attempt):
                live = self._live.setdefault((run, task), {})
                beside = () if fact.hedge is None else (fact.hedge.beside,)
                if tuple(live) != beside or (beside and fact.effect is Effect.ONCE):
                    raise ViolationError(f"I4: {attempt} of {task} beside {tuple(live)}")
                live[attempt] = None
            case (
                f.AttemptSucceeded(run, task, attempt)
                | f.AttemptFailed(run, task, attempt)
                | f.AttemptRejected(run, task, attempt)
                | f.AttemptCancelled(run, task, attempt)
                | f.AttemptUnknown(run, task, attempt)
                | f.AttemptLapsed(run, task, attempt)
                | f.AttemptOutrun(run, task, attempt)
                | f.AttemptLost(run, task, attempt)
            ):
                self._live.get((run, task), {}).pop(attempt, None)
            case _:
                pass


def demands(setting: Setting, faults: Iterable[Fault], number: int) -> bool:
    """Say whether a run can only succeed, from its plan and what was done to it alone.

    It is left open where limits are tight, a planner errs, people interfere, a device lies about
    its own work, or a fault may have cost the outcome of a `once` attempt.
    """
    fired = [fault for fault in faults if fault.fired]
    kinds = {fault.kind for fault in fired}
    jumps = sum(fault.kind is Kind.COORDINATOR_CLOCK for fault in fired)
    if not setting.ample or setting.wrong or setting.steered or jumps > MAX_JUMPS:
        return False
    if kinds & COSTS_SUCCESS:
        return False
    if not any(spec.skill == "act" for spec in setting.specs(number)):
        return True
    # A slow skill outlives its lease where nobody can renew that.
    return not (
        any(fault.once for fault in fired)
        or Kind.DISK_LOST in kinds
        or (Kind.SLOW in kinds and kinds & OUTAGES)
    )


def kept(engine: Engine, devices: Iterable[WorldDevice]) -> Iterator[str]:
    """Yield what is still charged or kept."""
    for name, row in engine.state.devices.items():
        for attempt in row.attempts.values():
            yield f"{name} is charged for {attempt.task} ({attempt.state})"
        for resource in row.warm.warm:
            if resource.run is not None:
                yield f"{name} keeps {resource} of a run that has ended"
    for device in devices:
        for handle in device.memory[SESSION].handles:
            yield f"{device.party.name} holds session {handle.key} of a run that has ended"
        if device.crashed or device.lied:
            continue  # it has forgotten who gave it the work, or told what is not so of it
        for kept_row in device.ledger.rows():
            if isinstance(kept_row, AttemptRow) and not kept_row.closed:
                yield f"{device.party.name} keeps {kept_row}"


def assert_room(devices: Iterable[WorldDevice]) -> None:
    """Raise `ViolationError` if a device held more than it has room for (I5)."""
    for device in devices:
        if device.excess:
            raise ViolationError(f"I5: {device.party.name}: {device.excess[0]}")


def assert_folded(engine: Engine, recovered: Recovered) -> None:
    """Raise `ViolationError` unless the record says what the engine says (I11)."""
    again = Engine()
    recover(again, recovered)
    there, here = digest(again), digest(engine)
    for key in there.keys() | here.keys():
        if there.get(key) != here.get(key):
            raise ViolationError(f"I11: {key} is {here.get(key)}, on the disk {there.get(key)}")


def digest(engine: Engine) -> dict[Any, dict[str, Any]]:
    """Return the rows of a state, volatile columns apart."""
    state = engine.state
    return {
        key: {name: getattr(row, name) for name in type(row).__slots__ if name not in VOLATILE}
        for key in every(state)
        if (row := freeze(state, key)) is not None
    }


def assert_effects(store: Store, engine: Engine, run: RunId) -> None:
    """Raise `ViolationError` if a `once` task began twice, or a success left no effect (I13)."""
    if twice := store.twice():
        raise ViolationError(f"I13: began or wrote twice: {dict(twice)}")
    for name, task in engine.state.runs[run].tasks.items():
        acts = task.spec.skill in {"act", "write"} and not task.children
        done = acts and task.spec.for_each is None and task.state is TaskState.SUCCEEDED
        if done and not store.effects[run, name]:
            raise ViolationError(f"{name} of {run} succeeded and did nothing")
