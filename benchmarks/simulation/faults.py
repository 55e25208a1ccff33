"""What can go wrong in a world: one row a kind of fault. The rows act; `storm` decides when.

A fault begins, lasts, and ends. It *fired* if it really met something: a message was dropped, a
process that was there died, a frozen party missed what it would have done. Whoever meets it while
it lasts (the network, a disk, a skill) tells the world.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from benchmarks.simulation.fleet import WorldDevice
from benchmarks.simulation.kinds import Fault, Kind
from benchmarks.simulation.link import Access
from protocol.transport.faults import NetworkFault


class Whom(StrEnum):
    """Whom a kind of fault can hit."""

    ANYONE = "anyone"
    DEVICE = "device"
    COORDINATOR = "coordinator"
    ALL = "all"


class Coordinating(Protocol):
    """The coordinators of a world, as faults see them."""

    def accesses(self) -> list[Access]:
        """Return the places in the network of all that live."""

    def crash(self) -> bool:
        """Kill the present one; false if there is none."""

    def rival(self) -> bool:
        """Start another one beside it; false if there is none yet."""

    def fill_disk(self, *, full: bool) -> None:
        """Let no write to the record succeed, or let it again."""


class Scene(Protocol):
    """What faults act on."""

    @property
    def devices(self) -> Mapping[str, WorldDevice]:
        """The devices by name."""

    @property
    def coordinators(self) -> Coordinating:
        """Those who coordinate."""

    def broker(self, *, up: bool) -> int:
        """Stop the broker, or start it again; return how many connections were cut."""

    def kick(self, client_id: str) -> bool:
        """Cut one connection; false if there is none."""

    def redeliver(self, client_id: str) -> bool:
        """Deliver a client's last message again; false if there is none."""

    def lie(self, fault: Fault) -> bool:
        """Have a device say what is not so; false if it cannot."""


Act = Callable[[Scene, Fault], None]


def _nothing(_scene: Scene, _fault: Fault) -> None:
    pass


def _accesses(scene: Scene, fault: Fault) -> list[Access]:
    """Return who is hit."""
    if fault.party in scene.devices:
        return [scene.devices[fault.party].access]
    coordinators = scene.coordinators.accesses()
    if fault.party:
        return coordinators
    return [*coordinators, *(device.access for device in scene.devices.values())]


def _network(field_name: str, calm: object, bad: Callable[[float], object]) -> tuple[Act, Act]:
    """Worsen one rate of the network; what really suffered is told by the network."""

    def begin(scene: Scene, fault: Fault) -> None:
        for access in _accesses(scene, fault):
            access.suffer(**{field_name: bad(fault.draw)})

    def end(scene: Scene, fault: Fault) -> None:
        for access in _accesses(scene, fault):
            access.suffer(**{field_name: calm})

    return begin, end


def _partition(scene: Scene, fault: Fault) -> None:
    for access in _accesses(scene, fault):
        access.cut(off=True)


def _heal(scene: Scene, fault: Fault) -> None:
    for access in _accesses(scene, fault):
        access.cut(off=False)


def _cut(scene: Scene, fault: Fault) -> None:
    fault.hits += sum(scene.kick(access.client_id) for access in _accesses(scene, fault))


def _redeliver(scene: Scene, fault: Fault) -> None:
    fault.hits += sum(scene.redeliver(access.client_id) for access in _accesses(scene, fault))


def _stop_broker(scene: Scene, fault: Fault) -> None:
    fault.hits += scene.broker(up=False)


def _start_broker(scene: Scene, _fault: Fault) -> None:
    scene.broker(up=True)


def _crash(scene: Scene, fault: Fault) -> None:
    device = scene.devices[fault.party]
    fault.once = device.ledger.runs_once()
    link = device.access.link
    fault.hits += link is not None and not link.dead
    device.crash(disk_lost=fault.kind is Kind.DISK_LOST)
    if fault.draw < 0.5:  # noqa: PLR2004 - else the broker does not notice
        scene.kick(device.access.client_id)


def _freeze(scene: Scene, fault: Fault) -> None:
    for access in _accesses(scene, fault):
        access.party.freeze()
    if fault.party in scene.devices:
        fault.once = scene.devices[fault.party].ledger.runs_once()


def _thaw(scene: Scene, fault: Fault) -> None:
    for access in _accesses(scene, fault):
        if access.party.frozen:
            fault.hits += len(access.party.held)
            access.party.thaw()
    if fault.party in scene.devices:
        fault.once |= scene.devices[fault.party].ledger.runs_once()


def _slow(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].slow = 1.0 + 8.0 * fault.draw


def _quick(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].slow = 1.0


def _jump(scene: Scene, fault: Fault) -> None:
    for access in _accesses(scene, fault):
        access.party.ahead_s += 1.0 + 90.0 * fault.draw**2
        fault.hits += 1
    if fault.party in scene.devices:
        fault.once = scene.devices[fault.party].ledger.runs_once()


def _fill(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].full(on=True)


def _free(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].full(on=False)


def _crash_coordinator(scene: Scene, fault: Fault) -> None:
    fault.hits += scene.coordinators.crash()


def _rival(scene: Scene, fault: Fault) -> None:
    fault.hits += scene.coordinators.rival()


def _fill_record(scene: Scene, _fault: Fault) -> None:
    scene.coordinators.fill_disk(full=True)


def _free_record(scene: Scene, _fault: Fault) -> None:
    scene.coordinators.fill_disk(full=False)


def _spoil(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].wrong = True


def _mend(scene: Scene, fault: Fault) -> None:
    scene.devices[fault.party].wrong = False


def _lie(scene: Scene, fault: Fault) -> None:
    fault.hits += scene.lie(fault)


@dataclass(frozen=True, slots=True)
class Row:
    """How a kind of fault works."""

    whom: Whom
    lasts_s: tuple[float, float]
    begin: Act
    end: Act = _nothing


AT_ONCE: Final = (0.0, 0.0)
TABLE: Final[Mapping[Kind, Row]] = {
    Kind.DROP: Row(Whom.ANYONE, (3.0, 20.0), *_network("drop", 0.0, lambda x: 0.05 + 0.5 * x)),
    Kind.DUPLICATE: Row(
        Whom.ANYONE, (3.0, 20.0), *_network("duplicate", 0.0, lambda x: 0.1 + 0.6 * x)
    ),
    Kind.DELAY: Row(
        Whom.ANYONE, (3.0, 20.0), *_network("delay_s", (0.0, 0.0), lambda x: (0.0, 4.0 * x))
    ),
    Kind.REORDER: Row(
        Whom.ANYONE, (3.0, 20.0), *_network("reorder", 0.0, lambda x: 0.1 + 0.6 * x)
    ),
    Kind.PARTITION: Row(Whom.ANYONE, (0.5, 40.0), _partition, _heal),
    Kind.CUT: Row(Whom.ANYONE, AT_ONCE, _cut),
    Kind.REDELIVER: Row(Whom.ANYONE, AT_ONCE, _redeliver),
    Kind.BROKER_RESTART: Row(Whom.ALL, (0.1, 15.0), _stop_broker, _start_broker),
    Kind.AGENT_CRASH: Row(Whom.DEVICE, AT_ONCE, _crash),
    Kind.DISK_LOST: Row(Whom.DEVICE, AT_ONCE, _crash),
    Kind.AGENT_STALL: Row(Whom.DEVICE, (0.5, 50.0), _freeze, _thaw),
    Kind.SLOW: Row(Whom.DEVICE, (5.0, 30.0), _slow, _quick),
    Kind.AGENT_CLOCK: Row(Whom.DEVICE, AT_ONCE, _jump),
    Kind.LEDGER_FULL: Row(Whom.DEVICE, (1.0, 20.0), _fill, _free),
    Kind.COORDINATOR_CRASH: Row(Whom.COORDINATOR, AT_ONCE, _crash_coordinator),
    Kind.COORDINATOR_STALL: Row(Whom.COORDINATOR, (0.5, 50.0), _freeze, _thaw),
    Kind.COORDINATOR_CLOCK: Row(Whom.COORDINATOR, AT_ONCE, _jump),
    Kind.RIVAL: Row(Whom.COORDINATOR, AT_ONCE, _rival),
    Kind.JOURNAL_FULL: Row(Whom.COORDINATOR, (0.5, 10.0), _fill_record, _free_record),
    Kind.WRONG_OUTPUT: Row(Whom.DEVICE, (2.0, 15.0), _spoil, _mend),
    Kind.FORGED_ATTEMPT: Row(Whom.DEVICE, AT_ONCE, _lie),
    Kind.FOREIGN_RESULT: Row(Whom.DEVICE, AT_ONCE, _lie),
    Kind.CONTRADICTION: Row(Whom.DEVICE, AT_ONCE, _lie),
    Kind.ANOTHER_LIFE: Row(Whom.DEVICE, AT_ONCE, _lie),
}
"""Every kind has one row (tested)."""

ON_THE_WIRE: Final[Mapping[NetworkFault, Kind]] = {
    NetworkFault.DROP: Kind.DROP,
    NetworkFault.DUPLICATE: Kind.DUPLICATE,
    NetworkFault.DELAY: Kind.DELAY,
    NetworkFault.REORDER: Kind.REORDER,
    NetworkFault.PARTITION: Kind.PARTITION,
}


def draw(chance: random.Random, kind: Kind, *, at: float, devices: Sequence[str]) -> Fault:
    """Draw one fault of a kind."""
    row = TABLE[kind]
    parties: Mapping[Whom, Sequence[str]] = {
        Whom.ALL: [""],
        Whom.DEVICE: devices,
        Whom.COORDINATOR: ["coordinator"],
        Whom.ANYONE: ["", "coordinator", *devices],
    }
    return Fault(
        kind,
        chance.choice(parties[row.whom]),
        at,
        chance.uniform(*row.lasts_s),
        chance.random(),
    )
