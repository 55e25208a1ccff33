"""What the devices of a test hold warm: an obedient pool, without clocks."""

from collections.abc import Iterable

from orchestrator.core import commands as c
from protocol.types import DeviceId, Resource, WarmResource


class Pools:
    """Loads what offers name, and lets go of what it is told to."""

    def __init__(self, load_s: float = 4.0) -> None:
        self.load_s = load_s
        self.held: dict[DeviceId, dict[Resource, WarmResource]] = {}
        self.loads: list[tuple[DeviceId, Resource]] = []
        self.leases: dict[tuple[DeviceId, Resource], c.Pin] = {}

    def heard(self, order: c.Command) -> None:
        """Take a lease: the newest counts; one that ends at once lets go."""
        if not isinstance(order, c.Offer | c.GrantPins):
            return
        for pin in order.pins:
            before = self.leases.get((order.device, pin.resource))
            if before is not None and pin.token < before.token:
                continue
            self.leases[order.device, pin.resource] = pin
            if isinstance(order, c.GrantPins) and not pin.release_s:
                self.held.get(order.device, {}).pop(pin.resource, None)

    def ended(self, offer: c.Offer, *, ran: bool) -> tuple[WarmResource, ...]:
        """Return what the device has of an attempt's needs at its end; `ran`: it had to load."""
        held = self.held.setdefault(offer.device, {})
        said = []
        for pin in offer.pins:
            name = pin.resource
            known = held.get(name)
            if known is None and ran:
                self.loads.append((offer.device, name))
                held[name] = WarmResource(name.kind, name.key, pin.amount, name.run)
                said.append(WarmResource(name.kind, name.key, pin.amount, name.run, self.load_s))
            elif known is not None:
                said.append(known)
            if ran and not self.leases[offer.device, name].release_s:
                del held[name]
                said = [each for each in said if each.name != name]
        return tuple(said)

    def warm(self, device: DeviceId) -> tuple[WarmResource, ...]:
        """Return all that a device holds."""
        return tuple(self.held.get(device, {}).values())

    def names(self, device: str) -> set[str]:
        """Return the keys of what a device holds."""
        return {name.key for name in self.held.get(DeviceId(device), {})}

    def lost(self, device: str, names: Iterable[Resource] | None = None) -> None:
        """Let a device lose these, or all, by itself."""
        held = self.held.get(DeviceId(device), {})
        for name in tuple(held) if names is None else names:
            held.pop(name, None)
