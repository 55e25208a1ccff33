"""How long a warm resource is kept: the pin leases that coordinators gave on it. Pure.

Each coordinator, by the topic where it is answered, has one lease on a resource: its newest. The
times of a lease count from the end of the last use, or from its grant where nobody uses the
resource. Intervals are half-open: protected while `now < since + protected_s`, and over from
`since + release_s` on. A resource is protected while one lease protects it, and released when all
are over. One that is over stays over when the resource is used again: its coordinator no longer
counts on it. It is remembered for its token: what is no newer changes nothing.

The leases on what belongs to one run come from whoever owns the run: a later epoch ends them.
"""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from protocol.messages import PinGrant
from protocol.types import PinScope, RunId


class Speaker(NamedTuple):
    """A coordinator that gives leases: where it is answered, and the runs that it speaks for."""

    home: str
    epochs: Mapping[RunId, int]


class _Lease:
    __slots__ = ("epoch", "protected_s", "release_s", "since", "token")

    def __init__(self, grant: PinGrant, epoch: int, now: float) -> None:
        self.token = grant.token
        self.epoch = epoch
        self.protected_s = min(grant.protected_s, grant.release_s)
        self.release_s = grant.release_s
        self.since = now

    @property
    def over_at(self) -> float:
        return self.since + self.release_s

    def end(self) -> None:
        self.protected_s = self.release_s = 0.0


class Leases:
    """The leases on one resource."""

    __slots__ = ("_by_holder",)

    def __init__(self) -> None:
        self._by_holder: dict[str, _Lease] = {}

    def grant(self, grant: PinGrant, by: Speaker, now: float) -> None:
        """Take a grant, if it is new, and from one who may give it."""
        epoch, known = by.epochs.get(grant.run), self._by_holder.get(by.home)
        if epoch is None or (known is not None and grant.token <= known.token):
            return
        if grant.scope is PinScope.RUN:
            for lease in self._by_holder.values():
                if lease.epoch < epoch:
                    lease.end()
        self._by_holder[by.home] = _Lease(grant, epoch, now)

    def used(self, now: float) -> None:
        """Note that a use begins: what is over by now stays over."""
        for lease in self._by_holder.values():
            if lease.over_at <= now:
                lease.end()

    def rest(self, now: float) -> None:
        """Note that the last use ended: the times count from here."""
        for lease in self._by_holder.values():
            lease.since = now

    def end(self) -> None:
        """End all of them."""
        for lease in self._by_holder.values():
            lease.end()

    def protected(self, now: float) -> bool:
        """Tell whether the resource, unused, may not be given up for others."""
        return any(now < lease.since + lease.protected_s for lease in self._by_holder.values())

    @property
    def over_at(self) -> float:
        """When the resource, unused, is released."""
        return max((lease.over_at for lease in self._by_holder.values()), default=-inf)
