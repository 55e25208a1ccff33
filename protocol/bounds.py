"""What may be said of warm resources: how much at once, and in which ranges.

The same for who reads and who writes: a reader takes a `ValueError` for a malformed message, and
`ours` turns it into a `LocalProtocolError` for a writer.
"""

from collections.abc import Callable
from math import inf
from typing import Final, TypeVar

from protocol.errors import LocalProtocolError
from protocol.messages import Heartbeat, Held, PinGrant, Prefetch, Renew
from protocol.types import WarmResource

MAX_PINS: Final = 64  # in an offer or a renewal; a sender splits what is more
MAX_WARM: Final = 256  # in a heartbeat, a `Held` or a report; a device chooses what it names
MAX_NAME: Final = 256  # characters of a kind or a key
MAX_COUNTER: Final = 2**63 - 1  # what a ledger's integer column holds
MAX_SECONDS: Final = 1e15  # sums and quotients of them stay finite
MAX_BANDWIDTH: Final = 1e15  # bytes per second, from 1 on
MAX_REFERENCES: Final = 64  # in a hint; a sender splits what is more

_T = TypeVar("_T")
_Loaded = TypeVar("_Loaded", Held, Heartbeat)


def check_pins(pins: tuple[PinGrant, ...]) -> tuple[PinGrant, ...]:
    """Return the pins of one order.

    Raises:
        ValueError: there are too many, or one is out of range.
    """
    if len(pins) > MAX_PINS:
        raise ValueError(f"{len(pins)} pins; at most {MAX_PINS} are read")
    for pin in pins:
        if not (
            len(pin.kind) <= MAX_NAME
            and len(pin.key) <= MAX_NAME
            and 0 <= pin.amount < inf
            and 0 <= pin.token <= MAX_COUNTER
            and 0 <= pin.protected_s <= MAX_SECONDS
            and 0 <= pin.release_s <= MAX_SECONDS
        ):
            raise ValueError(f"a pin is out of range: {str(pin)[:200]}")
    return pins


def check_warm(warm: tuple[WarmResource, ...]) -> tuple[WarmResource, ...]:
    """Return the warm resources of one message.

    Raises:
        ValueError: there are too many, or one is out of range.
    """
    if len(warm) > MAX_WARM:
        raise ValueError(f"{len(warm)} warm resources; at most {MAX_WARM} are read")
    for each in warm:
        if not (
            len(each.kind) <= MAX_NAME
            and len(each.key) <= MAX_NAME
            and 0 <= each.amount < inf
            and 0 <= (each.load_s or 0) <= MAX_SECONDS
        ):
            raise ValueError(f"a warm resource is out of range: {str(each)[:200]}")
    return warm


def check_prefetch(hint: Prefetch) -> Prefetch:
    """Return a hint.

    Raises:
        ValueError: it has too many references, or its epoch is out of range.
    """
    if len(hint.references) > MAX_REFERENCES or not 0 <= hint.epoch <= MAX_COUNTER:
        raise ValueError(f"{len(hint.references)} references of epoch {hint.epoch}")
    return hint


def check_renewal(renew: Renew) -> Renew:
    """Return a renewal; raises as `check_pins`."""
    check_pins(renew.pins)
    return renew


def check_load(said: _Loaded) -> _Loaded:
    """Return what a device says of its load; raises as `check_warm`."""
    check_warm(said.load.warm)
    return said


def ours(check: Callable[[_T], _T], said: _T) -> _T:
    """Return what we are about to say.

    Raises:
        LocalProtocolError: nobody would read it.
    """
    try:
        return check(said)
    except ValueError as error:
        raise LocalProtocolError(str(error)) from error
