"""What `Agent` is made of."""

from collections.abc import Iterable, Mapping
from typing import Final

from agents.artifacts import Artifacts
from agents.warm.adapters import ResourceKind
from protocol.given import NOTHING, Forms, doing, either, of
from protocol.types import DeviceCard


def _kinds(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(kind, ResourceKind) for name, kind in value.items()
    )


FORMS: Final[Forms] = {
    "card": (of(DeviceCard, str), "the device's id, such as 'laptop', or a DeviceCard"),
    "skills": (of(Iterable), "a list of functions with @skill above them, such as [count_words]"),
    "transport": (
        doing("run", "publish"),
        "a Transport, such as MemoryBroker().transport('laptop')",
    ),
    "ledger": (
        either(NOTHING, doing("rows", "write")),
        "a Ledger, such as SqliteLedger(Path('ledger.db')), or None",
    ),
    "artifacts": (either(NOTHING, of(Artifacts)), "Artifacts or None"),
    "resources": (either(NOTHING, _kinds), "a mapping of names to ResourceKind, or None"),
    "org": (of(str), "text"),
    "unit": (of(str), "text"),
    "allows": (callable, "a function of a caller and a skill"),
    "powered": (callable, "a function from Heartbeat to Heartbeat"),
    "clock": (either(NOTHING, callable), "a function that returns seconds, or None"),
}
