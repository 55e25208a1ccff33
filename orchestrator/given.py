"""What `Orchestrator` is made of."""

from pathlib import Path
from typing import Final

from orchestrator.core.scheduling.policies import Parameters
from orchestrator.core.tuning import Tuning
from orchestrator.planning import Scrutiny
from protocol.given import NOTHING, Forms, doing, either, of
from protocol.topics import Address

FORMS: Final[Forms] = {
    "transport": (
        doing("run", "publish"),
        "a Transport, such as MemoryBroker().transport('coordinator')",
    ),
    "planner": (
        either(NOTHING, doing("propose")),
        "a Planner, such as PlaybookPlanner(), or None",
    ),
    "journal": (
        either(NOTHING, doing("__aenter__", "append")),
        "a Journal, such as SqliteJournal(Path('journal.db')), or None",
    ),
    "address": (of(Address), "an Address, such as Address('muster', 'default', 'coordinator')"),
    "tuning": (either(NOTHING, of(Tuning)), "a Tuning, such as Tuning(lost_after_s=7.0), or None"),
    "parameters": (of(Parameters), "Parameters, such as Parameters(tiered=Bounds(10.0, 60.0))"),
    "memory": (
        either(NOTHING, of(Path), doing("adopt_due")),
        "a Memory, a folder such as Path('memory'), or None",
    ),
    "judge": (either(NOTHING, doing("run", "ended")), "a Judge or None"),
    "clock": (callable, "a function that returns a Now"),
    "scrutiny": (of(Scrutiny), "a Scrutiny"),
    "improver": (either(NOTHING, doing("improve", "close")), "an Improver or None"),
}
