"""Which warm resources a task of a run needs, by name."""

from collections.abc import Iterable, Sequence
from typing import Final

from protocol.types import PinScope, Resource, ResourceNeed, RunId

MOST: Final = 64  # needs of one task: as many leases as an offer carries
LONGEST: Final = 256  # characters of a name, as the wire has it
LARGEST: Final = 1e15  # sums of amounts stay finite


def named(needs: Iterable[ResourceNeed], run: RunId | None) -> dict[Resource, float]:
    """Return the amounts by resource; what two needs name alike is one, of the larger amount."""
    amounts: dict[Resource, float] = {}
    for need in needs:
        name = Resource(need.kind, need.key, run if need.scope is PinScope.RUN else None)
        amounts[name] = max(need.amount, amounts.get(name, 0.0))
    return amounts


def unusable(needs: Sequence[ResourceNeed]) -> str:
    """Say what is wrong with the needs of a task, before any device is asked; empty: nothing."""
    if len(needs) > MOST:
        return f"it needs {len(needs)} warm resources, and {MOST} are the most"
    for need in needs:
        named = f"{need.kind}/{need.key}"
        if not 0.0 <= need.amount <= LARGEST:
            return f"its need of {named} has an amount of {need.amount:g}: 0 to {LARGEST:g} can be"
        if not (0 < len(need.kind) <= LONGEST and 0 < len(need.key) <= LONGEST):
            return f"kind and key of a need have 1 to {LONGEST} characters, unlike {named[:80]!r}"
    return ""
