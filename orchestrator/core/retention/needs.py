"""Which warm resources a task of a run needs, by name."""

from collections.abc import Iterable

from protocol.types import PinScope, Resource, ResourceNeed, RunId


def named(needs: Iterable[ResourceNeed], run: RunId | None) -> dict[Resource, float]:
    """Return the amounts by resource; what two needs name alike is one, of the larger amount."""
    amounts: dict[Resource, float] = {}
    for need in needs:
        name = Resource(need.kind, need.key, run if need.scope is PinScope.RUN else None)
        amounts[name] = max(need.amount, amounts.get(name, 0.0))
    return amounts
