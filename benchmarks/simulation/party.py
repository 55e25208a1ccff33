"""Who takes part in a world: each a process of its own as far as the others can tell.

All parties share one loop. Whatever a party starts (tasks, timers, callbacks) inherits a context
variable that names it, so the loop knows whom each callback belongs to. A frozen party's callbacks
and messages are held until it thaws, in order, while its peers go on: that is what a stopped
process, a swapped-out one or a long pause of the garbage collector look like from outside.
"""

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Final, TypeVarTuple

from benchmarks.virtual_clock import DeadlockError

MAX_TURNS: Final = 300_000  # a world needs some ten thousand: the rest is a livelock
TURN_S: Final = (
    1e-7  # what a turn of the loop takes: who is early by a rounding is not so for ever
)
Args = TypeVarTuple("Args")
_PARTY: ContextVar["Party"] = ContextVar("party")


class LivelockError(AssertionError):
    """The loop turns for ever: the world never comes to rest."""


class Party:
    """One process: frozen or not, with an elapsed clock that may be ahead of the world's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ahead_s = 0.0
        """How far its elapsed clock has jumped."""
        self.frozen = False
        self.held: list[_Call] = []
        """What waits for it to thaw."""
        self.context = Context()
        self.context.run(_PARTY.set, self)

    def now(self) -> float:
        """Read its elapsed clock, in seconds."""
        return asyncio.get_running_loop().time() + self.ahead_s

    def enter(self, callback: Callable[..., object], *args: object) -> None:
        """Call something in its name: now, or when it has thawed."""
        context = self.context.copy()
        if self.frozen:
            call = _Call(self, callback, args)
            call.context = context
            self.held.append(call)
        else:
            context.run(callback, *args)

    def freeze(self) -> None:
        """Stop it in its tracks."""
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on where it stopped."""
        self.frozen = False
        held, self.held = self.held, []
        loop = asyncio.get_running_loop()
        for call in held:
            loop.call_soon(call, context=call.context)


class _Call:
    """A callback of a party."""

    __slots__ = ("args", "callback", "context", "handle", "party")

    def __init__(
        self, party: Party, callback: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        self.party = party
        self.callback = callback
        self.args = args
        self.context: Context | None = None
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        if self.party.frozen:
            self.context = copy_context()
            self.party.held.append(self)
        elif self.handle is None or not self.handle.cancelled():
            self.callback(*self.args)


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: nothing outside the process has a part in a world."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError(f"nothing can run after t={self.now:.3f}s")
        self._turns += 1
        if self._turns > MAX_TURNS:
            self._turns = 0  # the clean-up needs some as well
            raise LivelockError(f"{MAX_TURNS:,} turns of the loop by t={self.now:.3f}s")
        self.now += max(timeout, TURN_S)
        return []


class WorldLoop(asyncio.SelectorEventLoop):
    """A loop that starts at t=0 s, jumps to the next timer, and can freeze parties.

    Unlike `VirtualClockLoop` it looks at no socket, thread or child, and never asks the system.
    """

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now

    def call_soon(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """See `asyncio.loop.call_soon`."""
        party = _PARTY.get(None) if context is None else context.get(_PARTY)
        if party is None:
            return super().call_soon(callback, *args, context=context)
        call = _Call(party, callback, args)
        call.handle = super().call_soon(call, context=context)
        return call.handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See `asyncio.loop.call_at`."""
        party = _PARTY.get(None) if context is None else context.get(_PARTY)
        if party is None:
            return super().call_at(when, callback, *args, context=context)
        call = _Call(party, callback, args)
        handle = call.handle = super().call_at(when, call, context=context)
        return handle
