"""The words of the model: its rules, what is sent, and what each side knows.

* **The network** is the set of all that was ever sent. Any of it may arrive never, once, often and
  in any order, also at a later life of its receiver: this is loss, repetition and delay at once.
  Heartbeats and hellos may pass at any time and are no part of the set; of the answers to a
  device's hellos it has the newest.
* **A commit and what follows from it** are one step. A crash in between is the same as the loss of
  what was sent. The exceptions are rules that can be broken.
* **A coordinator** is its view of the journal. The one that adopts a run has the next epoch; the
  old one may live on, hears all that the new one hears, and dies when the journal refuses it.
* **Time** is which lapse comes first: a device's own lease before the coordinator's, or, in a
  world without `leases_in_order`, either.
* **The devices are alike**, so the first attempt is on the first: all the symmetry there is.
"""

from enum import IntEnum
from typing import NamedTuple, TypeAlias

DEVICES = (0, 1)


class Rules(NamedTuple):
    """What is promised. A test breaks each alone."""

    epochs: bool = True
    """A device obeys no lower epoch than it has seen."""
    ack_epochs: bool = True
    """... nor takes an acknowledgement from one."""
    repeats: bool = True
    """A device that knows an attempt says how it stands, instead of starting it."""
    row_first: bool = True
    """A `once` attempt is in the ledger before its skill starts."""
    result_first: bool = True
    """A result is in the ledger before it is said."""
    tombstones: bool = True
    """A refusal is remembered."""
    floors: bool = True
    """What was acknowledged, and so forgotten, is refused by its token."""
    floor_epochs: bool = True
    """The floor is in the newest epoch seen, not in that of the attempt."""
    new_life: bool = True
    """A device without its ledger has another incarnation."""
    offers_name_life: bool = True
    """A device takes no offer that was made to another incarnation."""
    reports_name_life: bool = True
    """A coordinator takes no report of another incarnation than it made the offer to."""
    lives_end: bool = True
    """A coordinator takes no answer to a hello from before the present incarnation."""
    beats_prove_nothing: bool = True
    """Another incarnation counts from its answer to a hello, and not from a heartbeat."""
    durable_first: bool = True
    """A result is in the journal before it is acknowledged."""
    one_journal: bool = True
    """The journal takes nothing of a coordinator with a lower epoch."""
    once_is_lost: bool = True
    """A `once` attempt whose outcome is lost is not tried again."""
    one_live: bool = True
    """When a lapsed attempt succeeds, the one that replaced it lapses."""
    hellos: bool = True
    """A device can be asked what it holds."""
    asks_by_time: bool = True
    """A hello's answer tells nothing of what was started since it was asked."""
    leases_in_order: bool = True
    """A coordinator lets a lease lapse after the device has."""


class World(NamedTuple):
    """What is explored."""

    once: bool = True
    attempts: int = 2
    epochs: int = 2
    crashes: int = 1
    """How often devices crash, both together."""
    rules: Rules = Rules()


# What is sent


class Order(NamedTuple):
    """Coordinator to device: `offer`, `refuse`, `cancel` or `ack`; or device to skill: `start`."""

    kind: str
    attempt: int
    device: int
    epoch: int
    life: int = 0
    """Of the device, as the coordinator knows it; in offers."""


class Report(NamedTuple):
    """Device to every coordinator: `started`, or its end: `done`, `lost` or `refused`."""

    what: str
    attempt: int
    device: int
    life: int


class Held(NamedTuple):
    """A device's answer to the hello of the coordinator with this epoch."""

    device: int
    life: int
    epoch: int
    held: tuple[int, ...]
    asked: tuple[int, ...]
    """The attempts that the coordinator had seen start when it asked."""


Message: TypeAlias = Order | Report | Held


# What a device knows


class Phase(IntEnum):
    """How an attempt stands on its device; no hold at all where it was never heard of."""

    RUNNING = 0
    LAPSED = 1
    """It runs without a lease (`pure`)."""
    STOPPING = 2
    """It was told to stop."""
    DONE = 3
    LOST = 4
    """It came to another end than its own; with a result, kept until that is acknowledged."""
    ACKED = 5
    REFUSED = 6
    """It never started: a tombstone."""


class Hold(NamedTuple):
    """One attempt on its device."""

    phase: Phase
    epoch: int
    """Of its offer."""
    recorded: bool
    """The ledger has what is here."""


class Device(NamedTuple):
    """One device: all of it is in the ledger, but `floor` and what is not `recorded`."""

    life: int = 1
    epoch: int = 1
    noted: tuple[int, int] = (0, 0)
    """(epoch, attempt): up to here attempts were forgotten, once this life is over."""
    floor: tuple[int, int] = (0, 0)
    """The same, in force."""
    holds: tuple[Hold | None, ...] = ()


RUNS = frozenset({Phase.RUNNING, Phase.LAPSED, Phase.STOPPING})
SAID = {Phase.DONE: "done", Phase.LOST: "lost", Phase.ACKED: "lost", Phase.REFUSED: "refused"}


# What a coordinator knows


class Task(IntEnum):
    """Where the task stands. A back-off is `READY` too: nothing is known of time."""

    READY = 0
    ACTIVE = 1
    UNKNOWN = 2
    SUCCEEDED = 3
    FAILED = 4


class Stage(IntEnum):
    """Where an attempt stands for its coordinator."""

    OFFERED = 0
    STARTED = 1
    LAPSED = 2
    ENDED = 3


class Attempt(NamedTuple):
    """One attempt; its token is its place."""

    device: int
    life: int
    stage: Stage
    seen: bool = False
    """It was seen to start."""


class View(NamedTuple):
    """What a coordinator, or the journal, holds."""

    epoch: int
    task: Task
    attempts: tuple[Attempt, ...]
    online: tuple[bool, bool]
    lives: tuple[int, int]


LIVE = frozenset({Stage.OFFERED, Stage.STARTED})
OVER = frozenset({Task.SUCCEEDED, Task.FAILED})


class State(NamedTuple):
    """The whole world."""

    journal: View
    owner: View
    old: View | None
    """The coordinator from which the owner took over, while it lives."""
    devices: tuple[Device, Device]
    sent: frozenset[Message]
    crashes: int
    starts: int = 0
    """How often a `once` skill has started, counted outside of both sides."""


Step: TypeAlias = tuple[tuple[object, ...], State]


def first(w: World) -> State:
    """Return the world in which the first offer has just been sent."""
    view = View(1, Task.ACTIVE, (Attempt(0, 1, Stage.OFFERED),), (True, True), (1, 1))
    devices = (Device(holds=(None,) * w.attempts),) * 2
    return State(view, view, None, devices, frozenset({Order("offer", 0, 0, 1, 1)}), w.crashes)
