"""Folding what happens to warm resources into devices' warm sets and what is known of gaps."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core import facts as f
from orchestrator.core.retention.keys import GapKey
from orchestrator.core.retention.warm_set import Warm
from orchestrator.core.retention.warmth import OpenGap
from orchestrator.core.state import State
from protocol.types import DeviceId, Resource


def forget_warm(state: State, device: DeviceId) -> None:
    """Let a device have nothing warm."""
    held = state.devices[device].warm
    for name in list(held.warm):
        held.drop(name)
        _gone(state, name, device)


def _pin_granted(state: State, fact: f.PinGranted) -> None:
    device = state.devices[fact.device]
    held, known = device.warm, device.warm.warm[fact.resource]
    shorter = known.idle_since is not None and fact.protected_until < known.protected_until
    held.pin(
        fact.resource,
        fact.token,
        since=fact.since,
        until=fact.protected_until,
        cap=fact.release_at,
    )
    state.token = max(state.token, fact.token)
    if shorter:
        state.board.relieved(device)
    if fact.awaits:
        key = GapKey(fact.resource.kind, fact.awaits, fact.device_class)
        state.warmth.open(fact.resource, fact.device, OpenGap(fact.since, key))
    timer = ("pins", fact.device)
    due = state.timers.get(timer)
    if due is None or fact.release_at < due:
        state.timers.set(timer, fact.release_at)


def _resource_released(state: State, fact: f.ResourceReleased) -> None:
    state.token = max(state.token, fact.token)
    _resource_evicted(state, fact)


def _resource_evicted(state: State, fact: f.ResourceReleased | f.ResourceEvicted) -> None:
    state.devices[fact.device].warm.drop(fact.resource)
    _gone(state, fact.resource, fact.device)


def _resource_loaded(state: State, fact: f.ResourceLoaded) -> None:
    state.devices[fact.device].warm.loaded(fact.resource)
    state.warmth.loads.add(fact.resource.kind, fact.device, fact.load_s)


def _resource_adopted(state: State, fact: f.ResourceAdopted) -> None:
    warm = Warm(fact.amount, loading=False, idle_since=fact.at, protected_until=fact.at)
    state.devices[fact.device].warm.put(fact.resource, warm)  # whether it has room was judged
    state.warmth.here(fact.resource, fact.device, idle=True)
    state.warmth.touch((fact.resource,))
    state.board.warmed((fact.resource,))


def _warm_set_voided(state: State, fact: f.WarmSetVoided) -> None:
    forget_warm(state, fact.device)


def _gap_observed(state: State, fact: f.GapObserved) -> None:
    key = GapKey(fact.resource.kind, fact.awaits, fact.device_class)
    state.warmth.histories.add(key, fact.gap_s, cut=fact.cut)
    state.warmth.close(fact.resource, fact.device)


def _reuse_observed(state: State, fact: f.ReuseObserved) -> None:
    state.warmth.revised(fact.resource.kind, reused=fact.reused)


def _run_time_observed(state: State, fact: f.RunTimeObserved) -> None:
    state.warmth.ran(fact.skill, fact.device, fact.run_s)


def _gone(state: State, name: Resource, device: DeviceId) -> None:
    state.warmth.gone(name, device)
    state.board.warmed((name,))
    state.board.freed(state.devices[device])


RESOURCES: Mapping[type, Callable[[State, Any], None]] = {
    f.PinGranted: _pin_granted,
    f.ResourceReleased: _resource_released,
    f.ResourceEvicted: _resource_evicted,
    f.ResourceLoaded: _resource_loaded,
    f.ResourceAdopted: _resource_adopted,
    f.WarmSetVoided: _warm_set_voided,
    f.GapObserved: _gap_observed,
    f.ReuseObserved: _reuse_observed,
    f.RunTimeObserved: _run_time_observed,
}
"""The rows of `apply.APPLY` that concern warm resources."""
