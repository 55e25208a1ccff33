"""How resources of a kind are loaded and let go: one adapter for each kind.

In the box: `objects` (what an async function makes), `process` (a server as a child process),
`llm` (a session of an OpenAI-compatible server), `directory` (a copy of data on this disk).
"""

from dataclasses import dataclass
from math import inf
from typing import Any, Final, Protocol, runtime_checkable

__all__ = ["Adapter", "ResourceKind", "Tidy", "Watched"]

LOAD_LIMIT_S: Final = 600.0  # the largest models take minutes from a slow disk


class Adapter(Protocol):
    """Loads the resources of one kind. What a handle is, the adapter and its skills agree on.

    Errors are those of skills: a `TemporaryError` is worth another try, anything else is not.
    """

    async def load(self, key: str) -> Any:  # noqa: ANN401  each adapter has its own
        """Make what `key` names ready for use; if it fails or is cancelled, leave nothing behind.

        Loads run side by side, as far as there is room for what they make: of other keys, and of
        the same key for another run.
        """

    async def evict(self, handle: Any) -> None:  # noqa: ANN401
        """Let it go. It is not called again, even if this fails."""

    def size(self, handle: Any) -> float | None:  # noqa: ANN401
        """Return what it takes up, in the unit of the capacity; None where nobody can tell."""


@runtime_checkable
class Watched(Adapter, Protocol):
    """An adapter that notices when what it loaded is of no more use."""

    async def alive(self, handle: Any) -> str:  # noqa: ANN401
        """Wait as long as it is alive; return why it is not any more. `evict` comes after."""


@runtime_checkable
class Tidy(Adapter, Protocol):
    """An adapter whose loads outlive a crash of the agent."""

    async def tidy(self) -> None:
        """Remove what a former life left behind. Called at the start; loads wait for it."""


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """What the owner of a device allows for one kind of resource."""

    adapter: Adapter
    capacity: float
    """How much of it may be warm at once, in a unit of the owner's choice, usually bytes."""
    max_idle_s: float = inf
    """How long something may lie unused, whatever its leases say: the owner's price for it."""
    load_limit_s: float = LOAD_LIMIT_S
    """How long a load may take."""
