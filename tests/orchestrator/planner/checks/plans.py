"""Short forms for plans, devices and runs."""

from dataclasses import replace

from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from protocol.types import DeviceCard, Effect, SkillInfo

LOOK = SkillInfo("look", effect=Effect.PURE, estimate_s=10.0)
WRITE = SkillInfo("write", effect=Effect.IDEMPOTENT, estimate_s=10.0)
SEND = SkillInfo("send", effect=Effect.ONCE, estimate_s=10.0)
NAS = DeviceCard("nas", labels={"role": "server"}, skills=(LOOK, WRITE, SEND))
PI = DeviceCard("pi", labels={"role": "sensor"}, skills=(LOOK, SEND))
CARDS = (NAS, PI)


def task(name, skill="look", /, *, args=None, **more):
    return TaskSpec(name, skill, args or {}, **more)


def ref(name, *path):
    return {"$from": name, "path": list(path)}


def add(*tasks, edges=()):
    return EditBatch(0, (*map(AddTask, tasks), *(AddDependency(Dependency(*e)) for e in edges)))


def run(*tasks, edges=(), revision=3):
    """Return a run; a task is a spec, or a spec and what else its row says."""
    rows = [each if isinstance(each, tuple) else (each, {}) for each in tasks]
    return RunSnapshot(
        "r",
        "",
        revision,
        "running",
        tuple(
            replace(
                TaskSnapshot(spec, "waiting", "", None),
                dependencies=tuple(Dependency(*e) for e in edges if e[1] == spec.id),
                **more,
            )
            for spec, more in rows
        ),
    )


def judge(check, batch, *more, cards=CARDS, snapshot=None):
    """Return the rules and tasks that one check finds."""
    found = check(Plan.of(batch, snapshot), Fleet(cards), *more)
    return [(each.rule, each.task) for each in found]
