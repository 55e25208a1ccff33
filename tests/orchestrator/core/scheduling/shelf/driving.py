"""Devices that work: what they are offered takes as long as its task declares, on virtual time."""

from dataclasses import dataclass
from math import inf

from orchestrator.core import events as e
from orchestrator.core.chance import unit
from orchestrator.core.model import RunLimits
from protocol.types import Succeeded
from tests.support.world import World


@dataclass(frozen=True)
class Span:
    """An attempt: of which task, where, from when to when."""

    run: str
    task: str
    device: str
    start: float
    end: float


def world_of(policy, *devices, **rest):
    """A world with a device for each (name, what its card says)."""
    world = World(policy=policy, **rest)
    for name, said in devices:
        world.device(name, **said)
    return world


def fleet(count, **said):
    return [(f"d{n}", said) for n in range(count)]


def limits(**rest):
    return RunLimits(revisions=0, **rest)


def drawn(seed, n, low, high):
    """A whole number by chance, the same for ever."""
    return low + int(unit(seed, "drawn", n) * (high - low + 1))


def play(world, *, until=inf, then=(), took=None):
    """Let devices work until nothing is left, or `until`; return the attempts as they began.

    `then` is what happens at which time; `took` says what tasks take that do not keep to what
    they declare.
    """
    spans, ends, coming = [], {}, sorted(then, key=lambda each: each[0])
    state = world.engine.state
    for _ in range(100_000):
        for attempt in list(state.attempts.values()):
            if attempt.id not in ends:
                world.tell(e.AttemptReported(attempt.device, attempt.id, started=True))
                spec = state.runs[attempt.run].tasks[attempt.task].spec
                declared_s = spec.estimate_s / state.devices[attempt.device].card.speed
                seconds = (took or {}).get(spec.id, declared_s)
                ends[attempt.id] = world.at + seconds
                where = (attempt.run, attempt.task, attempt.device)
                spans.append(Span(*where, world.at, ends[attempt.id]))
        due = min((ends[name] for name in state.attempts), default=inf)
        if due == inf and not coming and all(r.ended_at is not None for r in state.runs.values()):
            return spans
        due = min(due, world.engine.next_deadline() or inf, coming[0][0] if coming else inf)
        world.wait(max(0.0, min(due, until) - world.at))
        for device, life in list(world.alive.items()):
            world.beat(device, life=life)
        if world.at >= until:
            return spans
        while coming and coming[0][0] <= world.at:
            coming.pop(0)[1]()
        for name in [name for name in state.attempts if ends.get(name, inf) <= world.at + 1e-9]:
            span_s = next(s.end - s.start for s in spans if s.task == world.offers[name].task)
            world.end(name, Succeeded(None), run_s=span_s)
    raise AssertionError("it never ends")


def tasks_of(spans):
    return [span.task for span in spans]
