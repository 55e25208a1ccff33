"""Whole systems in a bad world: a seed makes the graph, the network, the crashes and their times.

The oracle, whatever the seed: the run ends within its limits, in success or with a reason; a
finished task is never placed again; a `once` skill starts at most once; no attempt is taken for
lost that its device still has; folding the journal gives the coordinator's state; and when the
world has calmed down no device is charged for anything and none keeps a result that nobody will
ever acknowledge.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest

import orchestrator.snapshots
from agents.actions import AttemptRow
from agents.simulated import SimulatedDevice, chance
from agents.skills import Skill, TemporaryError
from orchestrator import AddDependency, AddTask, Dependency, EditBatch, Orchestrator
from orchestrator.core.engine import Engine
from orchestrator.core.events import Submit
from orchestrator.core.facts import AttemptLost, AttemptSucceeded, TaskPlaced
from orchestrator.core.model import ForEach, Limits, Now, On, RunLimits, TaskSpec
from orchestrator.core.rows import every, freeze
from orchestrator.journal import MemoryJournal
from orchestrator.library import durably
from orchestrator.snapshots import recover
from protocol.transport.faults import FaultPlan, FaultyTransport
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, Effect, RunId, SkillInfo, TaskId

WORLDS = 48
LIMITS = Limits(queue_s=120.0, start_s=15.0, run_s=40.0, unknown_s=40.0)
WITHIN_S = 3600.0  # twelve tasks in a row, each at every limit, are done sooner
CALM_S = 180.0  # the last partition, a lease, and a dozen repeats
STORM_S = 40.0
RUN = RunId("run")
VOLATILE = {"due", "silent_at", "lease_until", "seen_at"}


def clock():
    elapsed = asyncio.get_running_loop().time()
    return Now(elapsed, elapsed)


class World:
    """One coordinator, a few devices and everything that may happen to them."""

    def __init__(self, seed):
        self.seed = seed
        self.chance = random.Random(seed)
        self.broker = MemoryBroker(reconnect_s=0.3)
        self.journal = MemoryJournal()
        self.starts = Counter()
        self.lives = 0
        self.devices = {}
        self.crashed = set()
        for n in range(self.chance.randint(2, 4)):
            card = DeviceCard(DeviceId(f"d{n}"), slots=self.chance.randint(1, 3))
            skills = [self.skill("pure", Effect.PURE), self.skill("once", Effect.ONCE)]
            down_s = self.chance.choice([0.5, 2.0, 12.0])
            self.devices[card.device] = SimulatedDevice(
                card, skills, connect=lambda name=card.device: self.link(name), down_s=down_s
            )

    def skill(self, name, effect):
        async def call(context, _args):
            self.starts[context.task, name] += 1
            luck = chance(self.seed, name, context.attempt)
            await asyncio.sleep(luck * 3.0)
            if luck > 0.9:
                raise TemporaryError("bad luck")
            return [1, 2, 3][: int(luck * 4)]

        return Skill(SkillInfo(name, effect=effect, estimate_s=1.0), call)

    def link(self, name):
        self.lives += 1
        luck = random.Random(f"{self.seed}/{name}/{self.lives}")
        began = luck.uniform(0.0, STORM_S)
        plan = FaultPlan(
            drop=luck.choice([0.0, 0.02, 0.2]),
            duplicate=luck.choice([0.0, 0.1]),
            delay_s=(0.0, luck.choice([0.0, 0.05, 1.0])),
            reorder=luck.choice([0.0, 0.1]),
            reorder_s=luck.choice([0.1, 3.0]),
            partitions=((began, began + luck.uniform(0.0, 30.0)),),
        )
        inner = self.broker.transport(f"muster/default/{name}")
        return FaultyTransport(inner, plan, seed=f"{self.seed}/{name}/{self.lives}")

    def plan(self):
        count = self.chance.randint(3, 10)
        edits = []
        for n in range(count):
            skill = "once" if self.chance.random() < 0.3 else "pure"
            loop = None
            after = self.chance.sample(range(n), min(n, self.chance.randint(0, 2)))
            if after and self.chance.random() < 0.2:
                loop = ForEach({"$from": f"t{after[0]}"}, min_success=0)
            args = {"item": {"$item": []}} if loop else {}
            spec = TaskSpec(TaskId(f"t{n}"), skill, args, limits=LIMITS, for_each=loop)
            edits.append(AddTask(spec))
            for before in after:
                on = self.chance.choice([On.SUCCESS, On.COMPLETION])
                edge = Dependency(TaskId(f"t{before}"), TaskId(f"t{n}"), on)
                edits.append(AddDependency(edge))
        return EditBatch(0, tuple(edits))

    async def storm(self):
        """Let things happen until it is over."""
        for _ in range(self.chance.randint(0, 8)):
            await asyncio.sleep(self.chance.uniform(0.0, STORM_S / 6))
            name = self.chance.choice([*self.devices, "coordinator"])
            match self.chance.randint(0, 4):
                case 0:
                    self.broker.stop()
                    await asyncio.sleep(self.chance.uniform(0.0, 10.0))
                    self.broker.start()
                case 1:
                    self.broker.kill(f"muster/default/{name}")
                case 2:
                    with suppress(KeyError):  # it is not connected
                        self.broker.redeliver(f"muster/default/{name}")
                case _:
                    if name in self.devices:
                        self.devices[name].crash()
                        self.crashed.add(name)

    async def coordinate(self):
        """Live a few short lives and a long one; return how the run ended."""
        limits = RunLimits(revisions=0)
        submission = Submit(RUN, "k", "x", limits=limits, seed=self.seed, plan=self.plan())
        lives_s = [self.chance.uniform(0.1, 20.0) for _ in range(self.chance.randint(0, 3))]
        for life_s in [*lives_s, WITHIN_S]:
            link = self.link("coordinator")
            async with Orchestrator(link, journal=self.journal, clock=clock) as orchestrator:
                engine = orchestrator.coordinator.engine
                await durably(orchestrator.coordinator, submission)
                run = orchestrator.run(RUN)
                with suppress(TimeoutError):
                    async with asyncio.timeout(life_s):
                        result = await run.result()
                        await asyncio.sleep(CALM_S)
                        engine.check()
                        kept = self.kept(engine)
                        assert not kept, kept
                        return result
                engine.check()
            await self.assert_the_journal_says_the_same(engine)
        raise AssertionError(f"the run has not ended: {run.snapshot()}")

    def kept(self, engine):
        """What is still charged or kept although everything is over."""
        charged = [
            f"{name} is charged for {attempt.task} ({attempt.state})"
            for name, device in engine.state.devices.items()
            for attempt in device.attempts.values()
        ]
        return charged + [
            f"{name} keeps {row}"
            for name, device in self.devices.items()
            if name not in self.crashed  # it has forgotten who gave it the work
            for row in device.ledger.rows()
            if isinstance(row, AttemptRow) and not row.closed
        ]

    async def assert_the_journal_says_the_same(self, engine):
        again = Engine()
        recover(again, await self.journal.recover())
        assert digest(again) == digest(engine)

    async def assert_nothing_was_done_twice(self):
        succeeded = set()
        for entry in await self.journal.entries():
            fact = entry.fact
            if isinstance(fact, TaskPlaced):
                assert (fact.run, fact.task) not in succeeded, f"{fact.task} was placed again"
            elif isinstance(fact, AttemptLost) and "no longer knows" in fact.reason:
                assert self.crashed, f"attempt {fact.attempt} of {fact.task} was there"
            elif isinstance(fact, AttemptSucceeded):
                assert (fact.run, fact.task) not in succeeded, f"{fact.task} succeeded twice"
                succeeded.add((fact.run, fact.task))
        twice = [key for key, n in self.starts.items() if key[1] == "once" and n > 1]
        assert not twice, f"started twice: {twice}"


def digest(engine):
    state = engine.state
    rows = {key: freeze(state, key) for key in every(state)}
    return {
        key: {name: getattr(row, name) for name in type(row).__slots__ if name not in VOLATILE}
        for key, row in rows.items()
    }


async def live(seed):
    world = World(seed)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(device.run()) for device in world.devices.values()]
        tasks.append(group.create_task(world.storm()))
        try:
            result = await world.coordinate()
        finally:
            for task in tasks:
                task.cancel()
    await world.assert_nothing_was_done_twice()
    assert result.succeeded or result.reason
    return world, result


@pytest.mark.parametrize("seed", range(WORLDS))
async def test_a_run_ends_and_nothing_happens_twice(seed, monkeypatch):
    monkeypatch.setattr(orchestrator.snapshots, "ROWS_AT_ONCE", 8)
    await live(seed)
