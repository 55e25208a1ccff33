"""Same events, same decisions, under any hash seed."""

import os
import random
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from orchestrator.core import events as e
from orchestrator.core.model import Needs, On, RunLimits
from protocol.types import (
    Failed,
    FailureKind,
    Rejected,
    ResourceNeed,
    RunId,
    Succeeded,
    Unknown,
)
from tests.support.world import World, edge, task

ROOT = Path(__file__).parents[3]
OUTCOMES = [
    *[Succeeded([1])] * 6,
    Failed(FailureKind.TRANSIENT, "again"),
    Failed(FailureKind.SKILL_ERROR, "bad"),
    Rejected("busy"),
    Unknown("?"),
]


def scenario() -> str:
    """Run three requests on an unreliable fleet; return a hash of all facts and orders."""
    chance = random.Random(7)
    world = World(checked=False)
    names = [f"d{n}" for n in range(5)]
    for n, name in enumerate(names):
        labels = {"site": "lab", "os": "linux"} if n % 2 else {"os": "linux"}
        world.device(name, "work", "cut", slots=2, labels=labels, capacity={"gpu": 3.0})
    for number in range(3):
        tasks = [
            task(
                f"t{n}",
                chance.choice(["work", "cut"]),
                needs=Needs(
                    labels=chance.choice([{}, {"site": "lab", "os": "linux"}]),
                    resources=chance.choice([(), (ResourceNeed("gpu", "m", 1.0),)]),
                ),
            )
            for n in range(20)
        ]
        edges = [
            edge(f"t{chance.randrange(n)}", f"t{n}", chance.choice([On.SUCCESS, On.COMPLETION]))
            for n in range(5, 20)
        ]
        world.submit(*tasks, *edges, run=RunId(f"r{number}"), limits=RunLimits(revisions=1))
    for _ in range(150):
        world.wait(chance.choice([0.0, 0.5, 3.0]))
        attempts = list(world.engine.state.attempts)
        if attempts:
            world.end(chance.choice(attempts), chance.choice(OUTCOMES))
        if chance.random() < 0.1:
            name = chance.choice(names)
            life = str(chance.randrange(2))
            world.beat(name, life=life)
    world.tell(e.CancelRun(RunId("r2"), "enough"))
    return sha256(repr((world.facts, world.orders)).encode()).hexdigest()


def test_the_same_events_lead_to_the_same_facts_and_orders_under_any_hash_seed():
    program = "from tests.orchestrator.core.test_determinism import scenario; print(scenario())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert seen == {scenario() + "\n"}
