"""Warm resources under 10,000 random edits and events: I5 and I14 after every step."""

import random

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.checking_resources import check_warmth
from orchestrator.core.edits import AddTask, RemoveTask
from orchestrator.core.errors import RequestError
from orchestrator.core.lifecycle import FINAL, LIVE, TaskState
from orchestrator.core.model import Needs, RunLimits
from orchestrator.core.tuning import Tuning
from protocol.types import (
    DeviceId,
    Failed,
    FailureKind,
    PinScope,
    Rejected,
    ResourceNeed,
    RunId,
    Succeeded,
    TaskId,
)
from tests.support.world import World, edge, task

DEVICES = {"big": 6.0, "small": 2.0}
RUNS = [RunId(f"r{n}") for n in range(4)]


class Chaos:
    """Two devices with little memory, four runs that grow and shrink, and a naive observer."""

    def __init__(self, seed: int, *, checked: bool) -> None:
        self.chance = random.Random(seed)
        self.world = World(checked=checked, tuning=Tuning(keep_runs=2))
        for name, capacity in DEVICES.items():
            self.world.device(name, "work", slots=3, capacity={"kv": capacity})
        self.world.device("plain", "tool", slots=9)
        self.count, self.edits = 0, 0
        self.lives = dict.fromkeys(DEVICES, 1)
        for run in RUNS:
            self.submit(run)

    def submit(self, run: RunId) -> None:
        self.count += 1
        world_run = RunId(f"{run}-{self.count}")
        self.world.submit(self.made(), self.made(), run=world_run, limits=RunLimits(revisions=1))

    def made(self):
        """A task that needs a session of its run, something shared, both, or nothing."""
        self.count += 1
        kinds = self.chance.sample(
            [PinScope.RUN, PinScope.SHARED], self.chance.choice([0, 1, 1, 2])
        )
        resources = tuple(
            ResourceNeed("kv", f"{scope}{self.chance.randrange(3)}", 1.0, scope) for scope in kinds
        )
        skill = "work" if resources else "tool"
        return task(f"t{self.count}", skill, needs=Needs(resources=resources))

    def live(self) -> list[RunId]:
        return list(self.world.engine.state.live)

    def edit(self) -> None:
        if len(self.live()) < len(RUNS):
            self.submit(RUNS[0])
        run = self.chance.choice(self.live())
        rows = self.world.engine.state.runs[run].tasks
        waiting = [name for name, row in rows.items() if row.state is TaskState.WAITING]
        parts: list[object] = []
        if waiting and self.chance.random() < 0.4:
            parts.append(RemoveTask(self.chance.choice(waiting)))
        else:
            new = self.made()
            parts.append(AddTask(new))
            open_rows = [name for name, row in rows.items() if row.state not in FINAL]
            before = self.chance.sample(open_rows, min(len(open_rows), 2))
            parts += [edge(each, new.id) for each in before]
        self.edits += 1
        try:
            self.world.edit(*parts, run=run)
        except RequestError:
            return

    def end(self) -> None:
        attempts = [a for a in self.world.engine.state.attempts.values() if a.state in LIVE]
        if not attempts:
            return
        attempt = self.chance.choice(attempts)
        failed = Failed(FailureKind.TRANSIENT, "no luck")
        outcome = self.chance.choice([Succeeded(1)] * 6 + [failed, Rejected("busy")])
        if attempt.id in self.world.offers:
            self.world.end(attempt.id, outcome, run_s=self.chance.expovariate(0.3))

    def start(self) -> None:
        for attempt in list(self.world.engine.state.attempts.values())[:2]:
            self.world.tell(e.AttemptReported(attempt.device, attempt.id, started=True))

    def lose(self) -> None:
        name = self.chance.choice(list(DEVICES))
        if self.chance.random() < 0.3:
            self.lives[name] += 1
            self.world.wiped(name, life=str(self.lives[name]))
        else:
            self.world.pools.lost(name)
            self.world.beat(name, life=str(self.lives[name]))

    def cancel(self) -> None:
        if len(self.live()) > 2:
            self.world.tell(e.CancelRun(self.live()[0], "enough"))

    def restart(self) -> None:
        self.world.restart(rows=self.chance.random() < 0.5)
        for name, life in self.lives.items():
            self.world.hello(name, life=str(life))

    def step(self, *extra) -> None:
        for _ in range(self.chance.choice([0, 1, 1, 6])):
            self.edit()
        doings = [self.end] * 9 + [self.start, self.start, self.lose, *extra]
        self.chance.choice(doings)()
        if self.chance.random() < 0.1:
            self.cancel()
        self.world.wait(self.chance.choice([0.0, 0.0, 0.5, 3.0]))
        self.judge()

    def judge(self) -> None:
        state = self.world.engine.state
        check_warmth(state)
        wanted = {
            name
            for run in state.runs.values()
            for row in run.tasks.values()
            if row.state in {TaskState.WAITING, TaskState.READY, TaskState.RECOVERING}
            for name in row.needs
        }
        for device, capacity in DEVICES.items():
            held = state.devices[device].warm.warm
            assert sum(warm.amount for warm in held.values()) <= capacity, "I5"
            for name, warm in held.items():
                thinking = name.run in state.live and state.runs[name.run].asks
                protected = not warm.users and self.world.at < warm.protected_until
                assert not protected or name in wanted or thinking, "I14"


@pytest.mark.timeout(240)
def test_i5_i14_no_pin_outlives_its_last_use_under_10_000_random_edits():
    chaos = Chaos(1, checked=False)
    steps = 0
    while chaos.edits < 10_000:
        chaos.step()
        steps += 1
        chaos.world.facts, chaos.world.orders = chaos.world.facts[-2000:], []
        if steps % 500 == 0:
            chaos.world.pools.loads.clear()
    kinds = {type(fact).__name__ for fact in chaos.world.facts}
    assert {"PinGranted", "GapObserved", "ResourceReleased", "ResourceLoaded"} <= kinds


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(4))
def test_i11_leases_are_folded_and_restored_as_they_were(seed):
    chaos = Chaos(seed, checked=True)
    for _ in range(150):
        chaos.step(chaos.restart)
    assert chaos.world.happened(f.PinGranted)
    assert chaos.world.ordered(c.GrantPins)
    assert {DeviceId(name) for name in DEVICES} <= chaos.world.engine.state.devices.keys()
    assert TaskId("t1")
