"""Runs what loads, watches and evicts warm resources, as the session orders. A shell.

The session orders for each resource: load, evict, load, … in turn, the next load only after it
was told that the last one has left. An eviction ends a load under way. An adapter that does not
come back from an eviction within `EVICT_S` is not waited for: its memory counts as free. What a
load makes that comes back later still is let go then.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from math import isfinite
from typing import Any, Final

from agents.actions import Action, EvictResource, LoadResource
from agents.calls import failure
from agents.skills import BadInputError, PermanentError, TemporaryError
from agents.warm.adapters import Adapter, ResourceKind, Tidy, Watched
from agents.warm.pool import Pool
from agents.warm.warming import Warming
from protocol import telemetry
from protocol.messages import Offer
from protocol.telemetry import Level
from protocol.types import Resource

EVICT_S: Final = 10.0  # a server that is told to end may write its cache first


def pool_of(kinds: Mapping[str, ResourceKind]) -> Pool:
    """Make the pool of what can be kept here."""
    return Pool(
        {kind: each.capacity for kind, each in kinds.items()},
        {kind: each.max_idle_s for kind, each in kinds.items()},
    )


class _Held:
    """A resource that is loading, or loaded; `task` loads it, then watches it."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.handle: object = None
        self.loaded = False


class Keeper:
    """The adapters at work.

    Args:
        kinds: what can be kept here.
        warming: hears of what came of it.
        act: does what follows from that.
        now: the device's clock.
    """

    def __init__(
        self,
        kinds: Mapping[str, ResourceKind],
        warming: Warming,
        act: Callable[[Iterable[Action]], None],
        now: Callable[[], float],
    ) -> None:
        self._kinds = kinds
        self._warming = warming
        self._act = act
        self._now = now
        self._held: dict[Resource, _Held] = {}
        self._evicting: set[Resource] = set()
        self._closed = False
        self._empty = asyncio.Event()
        self._tidying: dict[str, asyncio.Task[None]] = {}

    def start(self, group: asyncio.TaskGroup) -> None:
        """Have removed what a former life left behind."""
        for name, kind in self._kinds.items():
            if isinstance(kind.adapter, Tidy):
                work = self._tidy(name, kind.adapter)
                self._tidying[name] = group.create_task(work, name=f"tidy {name}")

    def do(self, order: LoadResource | EvictResource, group: asyncio.TaskGroup) -> None:
        """Begin what was ordered, as a task of `group`."""
        if self._closed:
            return
        resource = order.resource
        if isinstance(order, LoadResource):
            held = self._held[resource] = _Held()
            held.task = group.create_task(self._keep(resource, held), name=f"keep {resource}")
        else:
            gone = self._held.pop(resource, None)
            self._evicting.add(resource)
            group.create_task(self._evict(resource, gone), name=f"evict {resource}")

    def close(self, group: asyncio.TaskGroup) -> None:
        """Begin to evict whatever is still held, and take no more orders."""
        for resource in list(self._held):
            self.do(EvictResource(resource), group)
        self._closed = True

    async def settle(self) -> None:
        """Wait until every eviction is done."""
        while self._evicting:
            self._empty.clear()
            await self._empty.wait()

    def handle(self, offer: Offer, kind: str, key: str | None) -> object:
        """Return what an attempt calls so.

        Raises:
            BadInputError: its offer names no such thing, or several.
            TemporaryError: it was lost while the attempt ran.
        """
        named = {pin.resource for pin in offer.pins if pin.kind == kind and key in {None, pin.key}}
        if len(named) != 1:
            keys = ", ".join(sorted(each.key for each in named)) or "none"
            wanted = f"one resource of kind {kind!r}" + (f" with the key {key!r}" if key else "")
            raise BadInputError(f"{wanted} is asked for, the task needs {keys}")
        resource = named.pop()
        held = self._held.get(resource)
        if held is None or not self._warming.pool.is_used(resource, offer.attempt):
            raise TemporaryError(f"{resource.kind} {resource.key} was lost while it was in use")
        return held.handle

    async def _keep(self, resource: Resource, held: _Held) -> None:
        """Load it, say what came of that, and watch it as long as it is held."""
        kind, began = self._kinds[resource.kind], self._now()
        adapter = kind.adapter
        if tidying := self._tidying.get(resource.kind):
            await asyncio.wait([tidying])
        try:
            handle = await _within(kind.load_limit_s, adapter.load(resource.key))
        except Exception as error:  # noqa: BLE001  the owner's adapter: it fails this load alone
            self._told("resource_not_loaded", resource, reason=repr(error))
            if self._held.get(resource) is held:  # else it was given up
                del self._held[resource]
                self._act(self._warming.failed(resource, failure(error), self._now()))
            return
        held.handle, held.loaded = handle, True
        if self._held.get(resource) is not held:
            return  # it was given up, and came all the same: the eviction takes it
        amount = _size(adapter, handle)
        self._told("resource_loaded", resource, load_s=self._now() - began, amount=amount)
        self._act(self._warming.loaded(resource, amount, self._now()))
        if isinstance(adapter, Watched):
            why = await _watched(adapter, handle)
            self._told("resource_died", resource, reason=why)
            self._act(self._warming.died(resource, why, self._now()))

    async def _tidy(self, kind: str, adapter: Tidy) -> None:
        try:
            await adapter.tidy()
        except Exception as error:  # noqa: BLE001  the owner's adapter: its loads may go well
            telemetry.write(Level.WARNING, "resources_not_tidied", kind=kind, reason=repr(error))

    async def _evict(self, resource: Resource, held: _Held | None) -> None:
        try:
            if held is not None:
                await self._let_go(resource, held)
        finally:
            self._evicting.discard(resource)
            self._empty.set()
        self._told("resource_evicted", resource)
        self._act(self._warming.evicted(resource, self._now()))
        if held is not None and not held.task.done():  # a load that does not heed its end
            await asyncio.wait([held.task])
            await self._let_go(resource, held)

    async def _let_go(self, resource: Resource, held: _Held) -> None:
        try:
            await _within(EVICT_S, self._end(resource, held))
        except Exception as error:  # noqa: BLE001  the owner's adapter: nothing else depends on it
            self._told("resource_not_evicted", resource, reason=repr(error))

    async def _end(self, resource: Resource, held: _Held) -> None:
        held.task.cancel()
        await asyncio.wait([held.task])
        if held.loaded:
            await self._kinds[resource.kind].adapter.evict(held.handle)

    def _told(self, event: str, resource: Resource, **facts: object) -> None:
        level = Level.WARNING if "reason" in facts else Level.INFO
        telemetry.write(level, event, kind=resource.kind, key=resource.key, **facts)


async def _within(limit_s: float | None, work: Coroutine[Any, Any, object]) -> object:
    """Wait for an adapter, whose every end is an error or a result."""
    try:
        async with asyncio.timeout(limit_s) as limit:
            return await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise PermanentError("the adapter cancelled itself") from error
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TemporaryError(f"not done within {limit_s:g} s") from error


def _size(adapter: Adapter, handle: object) -> float | None:
    try:
        amount = adapter.size(handle)
    except Exception:  # noqa: BLE001  the owner's adapter: what was expected counts
        return None
    return amount if amount is not None and isfinite(amount) and amount >= 0 else None


async def _watched(adapter: Watched, handle: object) -> str:
    try:
        return str(await _within(None, adapter.alive(handle)))
    except Exception as error:  # noqa: BLE001  the owner's adapter: unwatched is not kept
        return f"it cannot be watched: {error!r}"
