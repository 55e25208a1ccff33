"""How fast a run could have been, and how long it takes one call after the other.

Both are made of what the calls of this run took: what the emulated hardware waits
(`hardware.reference_s` / speed) is known for every device. The rest of a call's time, its real
work, is taken as the least that any call of its skill took: calls at work side by side wait for
the cores of the one machine that emulates all devices, and one after the other would not. Attempts
that failed count nothing: whoever recovers better has fewer. So a bound says nothing of how clever
the plan was. A model is loaded once: when the first of the calls one after the other needs it, and
on the critical path where no call before has.

Lower bound: the larger of the critical path, each call on its fastest device, and the work of
those calls that only a set of devices can do, over the slots and speeds of that set, between the
least that comes before any of them and the least that comes after. The second is the area bound
of list scheduling (Graham 1969) for uniform machines, with heads and tails (Carlier 1982).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import LOAD_S, reference_s
from benchmarks.crossdevice.trace import Span, Spec, Trace


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds: one after the other on the fastest devices, and what no schedule can beat."""

    sequential: float
    critical_path: float
    area: float

    @property
    def least(self) -> float:
        """What no schedule of these calls can beat."""
        return max(self.critical_path, self.area)


@dataclass(frozen=True, slots=True)
class _Call:
    """A task that was done: who could do it, and what it takes."""

    devices: tuple[str, ...]
    reference: float
    real: float
    models: frozenset[str]

    def on(self, device: str) -> float:
        return self.real + self.reference / FLEET[device].hardware.speed

    @property
    def fastest(self) -> float:
        return min(map(self.on, self.devices))


def bounds(trace: Trace) -> Bounds:
    """Return the bounds of a run, over the tasks that were done."""
    done = {task: spans[0] for task, spans in trace.successes().items() if task in trace.specs}
    real = _real(trace, done.values())
    calls = {task: _call(trace.specs[task], span, real) for task, span in done.items()}
    waits = {task: [b for b in trace.predecessors(task) if b in calls] for task in calls}
    order = list(TopologicalSorter(waits).static_order())
    heads, took = _heads(calls, waits, order)
    tails = _tails(took, waits, order)
    loads = LOAD_S * len(frozenset[str]().union(*(each.models for each in calls.values())))
    return Bounds(
        sum(each.fastest for each in calls.values()) + loads,
        max((heads[task] + took[task] for task in order), default=0.0),
        _area(calls, heads, tails),
    )


def _heads(
    calls: Mapping[str, "_Call"], waits: Mapping[str, Sequence[str]], order: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return when each call may begin at the earliest, its load done, and what it takes."""
    heads: dict[str, float] = {}
    took = {task: calls[task].fastest for task in order}
    warm: dict[str, frozenset[str]] = {}
    for task in order:
        there = frozenset[str]().union(*(warm[each] for each in waits[task]))
        before = max((heads[each] + took[each] for each in waits[task]), default=0.0)
        heads[task] = before + LOAD_S * bool(calls[task].models - there)
        warm[task] = there | calls[task].models
    return heads, took


def _tails(
    took: Mapping[str, float], waits: Mapping[str, Sequence[str]], order: Sequence[str]
) -> dict[str, float]:
    """Return how long what follows each call takes at least."""
    tails = dict.fromkeys(order, 0.0)
    for task in reversed(order):
        for each in waits[task]:
            tails[each] = max(tails[each], tails[task] + took[task])
    return tails


def eligible(spec: Spec) -> tuple[str, ...]:
    """Return the devices that a task may run on, by its needs and its skill."""
    needs = spec.get("needs") or {}
    labels: Mapping[str, str] = needs.get("labels") or {}
    group = str(spec["skill"]).partition(".")[0]
    return tuple(
        name
        for name, device in FLEET.items()
        if needs.get("device") in (None, name)
        and group in device.hardware.groups
        and all(
            {"role": device.role, "class": device.profile}.get(key) == value
            for key, value in labels.items()
        )
    )


def _real(trace: Trace, spans: Iterable[Span]) -> Mapping[str, float]:
    """Return the least real work of a call, by skill."""
    least: dict[str, float] = {}
    for span in spans:
        spec = trace.specs[span.task]
        took = span.end - span.start if span.run_s is None else span.run_s
        real = max(0.0, took - _reference_s(spec) / FLEET[span.device].hardware.speed)
        least[spec["skill"]] = min(real, least.get(spec["skill"], real))
    return least


def _reference_s(spec: Spec) -> float:
    return reference_s(str(spec["skill"]), spec.get("args") or {})


def _call(spec: Spec, span: Span, real: Mapping[str, float]) -> _Call:
    needs = (spec.get("needs") or {}).get("resources") or ()
    models = frozenset(str(each["key"]) for each in needs)
    devices = eligible(spec) or (span.device,)
    return _Call(devices, _reference_s(spec), real[spec["skill"]], models)


def _area(
    calls: Mapping[str, _Call], heads: Mapping[str, float], tails: Mapping[str, float]
) -> float:
    """Return the largest area bound over the sets of devices that occur."""
    areas = [0.0]
    for chosen in {frozenset(each.devices) for each in calls.values()}:
        bound = [task for task, each in calls.items() if chosen.issuperset(each.devices)]
        work = sum(calls[task].reference for task in bound)
        rate = sum(FLEET[n].hardware.slots * FLEET[n].hardware.speed for n in chosen)
        first, last = min(map(heads.__getitem__, bound)), min(map(tails.__getitem__, bound))
        areas.append(first + work / rate + last)
    return max(areas)
