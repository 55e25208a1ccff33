"""Warm resources in words: what is kept, how long and why; and what happened to them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.text import Text

from orchestrator.core import facts as f
from orchestrator.core.decisions.next_use import PLANNER
from orchestrator.core.facts import Fact
from orchestrator.core.facts.resources import Cause
from orchestrator.core.retention.keys import Utility
from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.snapshot import DeviceSnapshot, WarmSnapshot
from protocol.types import Json, ResourceNeed

STYLES: Final[Mapping[str, str]] = {
    PinState.LOADING: "yellow",
    PinState.IN_USE: "cyan",
    PinState.PROTECTED: "green",
    PinState.EVICTABLE: "dim",
}
_CAUSES: Final[Mapping[str, str]] = {
    Cause.EVICTED: "its memory is wanted",
    Cause.EXPIRED: "nobody has used it for too long",
    Cause.UNWANTED: "there is no use or no room for it",
}
_SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

Data = Mapping[str, Json]


def name(warm: WarmSnapshot) -> str:
    """Return what a resource is called, and whose it is."""
    return f"{warm.kind}/{warm.key}" + (f" of {warm.run}" if warm.run else "")


def why(warm: WarmSnapshot) -> str:
    """Return how much a resource takes, and why it is where it is."""
    return f"{amount(warm.amount)}, {_use(warm)}"


def _use(warm: WarmSnapshot) -> str:
    if warm.users:
        return f"{'awaited' if warm.state is PinState.LOADING else 'used'} by {warm.users}"
    idle = f"idle for {_seconds(warm.age_s)}"
    if warm.queued:
        return f"{idle}: a task is queued for it here"
    if warm.index is None:
        return f"{idle}: no use is known, it goes in {_seconds(warm.release_s)} at the latest"
    kept = f" of {_seconds(warm.lease_s)}" if warm.state is PinState.PROTECTED else ""
    waits = _waits(warm.awaits, warm.device_class)
    return f"{idle}{kept}: {waits} {_worth(warm.reload_s, warm.index)}"


def of_run(warm: Sequence[WarmSnapshot]) -> Iterator[Text]:
    """Yield a heading and a line for each resource that a run keeps warm."""
    if warm:
        yield Text("warm", "bold")
    width = max((len(f"{each.kind}/{each.key}") for each in warm), default=0)
    for each in warm:
        said = f"on {each.device}  {why(each)}"
        called = f"{each.kind}/{each.key}"
        yield Text(f"  {called:{width}}  {each.state:9}  {said}", STYLES.get(each.state, ""))


def utility(fleet: Iterable[DeviceSnapshot]) -> Iterator[str]:
    """Yield by kind what loading was good for, over all devices."""
    totals: dict[str, Utility] = defaultdict(Utility)
    for each in (each for device in fleet for each in device.utility):
        busy_s, load_s = totals[each.kind]
        totals[each.kind] = Utility(busy_s + each.busy_s, load_s + each.load_s)
    for kind, total in totals.items():
        said = f"{_seconds(total.busy_s)} of work, {_seconds(total.load_s)} of loading"
        yield f"{kind}: {said}" + ("" if total.ratio is None else f" (ratio {total.ratio:.1f})")


def needs(listed: Iterable[ResourceNeed]) -> str:
    """Return what a task needs warm."""
    return ", ".join(f"{e.kind}/{e.key} ({amount(e.amount)}, {e.scope})" for e in listed)


def amount(value: float) -> str:
    """Return a number of three digits and its power of a thousand."""
    for size, suffix in _SUFFIXES:
        if value >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


# What happened. A field that is missing is left out, as in every sentence.


def _pin_granted(data: Data) -> str:
    since, until = _number(data, "since"), _number(data, "protected_until")
    if until > since:
        kept = f"kept {_what(data)} for {_seconds(until - since)}"
    else:
        kept = f"{_what(data)} stays until its memory is wanted"
    awaits = str(data.get("awaits") or "")
    if not awaits:
        return f"{kept}: {'a task is queued for it' if until > since else 'no use is known'}"
    reload_s, index = _number(data, "reload_s"), _number(data, "index")
    waits = _waits(awaits, str(data.get("device_class") or ""))
    return f"{kept}: {waits} {_worth(reload_s, reload_s * index)}"


def _released(data: Data) -> str:
    cause = str(data.get("cause", ""))
    return f"let {_what(data)} go: {_CAUSES.get(cause, cause)}"


def _evicted(data: Data) -> str:
    return f"{_what(data)} is gone: {data.get('reason', '')}"


def _loaded(data: Data) -> str:
    return f"loaded {_what(data)} in {_seconds(_number(data, 'load_s'))}"


def _adopted(data: Data) -> str:
    return f"found {_what(data)} warm"


def _voided(data: Data) -> str:
    return f"nothing is warm any more on {data.get('device', '')}"


def _gap_observed(data: Data) -> str:
    after = f"after {_seconds(_number(data, 'gap_s'))}"
    if data.get("cut"):
        return f"next use of {_what(data)}: none, as is known {after}"
    awaited = _called(str(data.get("awaits") or ""), str(data.get("device_class") or ""))
    return f"next use of {_what(data)} was ready {after}: it waited for {awaited}"


def _reuse_observed(data: Data) -> str:
    return f"the new plan {'uses' if data.get('reused') else 'does not use'} {_what(data)} again"


def _run_time_observed(data: Data) -> str:
    took = _seconds(_number(data, "run_s"))
    return f"{data.get('skill', '')} took {took} on {data.get('device', '')}"


SENTENCES: Final[Mapping[type[Fact], Callable[[Data], str]]] = {
    f.PinGranted: _pin_granted,
    f.ResourceReleased: _released,
    f.ResourceEvicted: _evicted,
    f.ResourceLoaded: _loaded,
    f.ResourceAdopted: _adopted,
    f.WarmSetVoided: _voided,
    f.GapObserved: _gap_observed,
    f.ReuseObserved: _reuse_observed,
    f.RunTimeObserved: _run_time_observed,
}
"""Fact → what turns its fields into a sentence."""


def _waits(awaits: str, device_class: str) -> str:
    return f"next use waits for {_called(awaits, device_class)}" if awaits else "next use is known"


def _called(awaits: str, device_class: str) -> str:
    if awaits == PLANNER and not device_class:
        return "the planner"
    return f"{awaits} on {device_class}" if device_class else awaits


def _worth(reload_s: float, index: float) -> str:
    return f"(reload {_seconds(reload_s)}, index {index:.1f})"


def _what(data: Data) -> str:
    """Return the resource of a fact, by kind and key, and where it is."""
    said = data.get("resource")
    parts = said[:2] if isinstance(said, Sequence) and not isinstance(said, str) else ()
    return f"{'/'.join(map(str, parts))} on {data.get('device', '')}"


def _number(data: Data, field: str) -> float:
    value = data.get(field)
    return value if isinstance(value, int | float) else 0.0


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.{0 if value >= 10 else 1}f} s"  # noqa: PLR2004
