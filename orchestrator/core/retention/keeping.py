"""The rule for what to keep: from what is known of the next use, and the age since the last.

`ByIndex` is the default. `ByLease` is the static lease alone, within 3 % of it in simulation.
"""

from typing import NamedTuple, Protocol

from orchestrator.core.retention.curve import Curve


class Outlook(NamedTuple):
    """What is known of the next use of a resource on its device."""

    curve: Curve
    reload_s: float


class Keeping(Protocol):
    """A rule for what to keep, of the outlook and the age since the last use."""

    def protect_s(self, outlook: Outlook, age_s: float) -> float:
        """Return the age until which to protect; not above `age_s`: no longer."""

    def worth(self, outlook: Outlook, age_s: float) -> float:
        """Return what is lost by giving it up; the least goes first."""


class ByLease:
    """Protect for the static lease, then give up what was used longest ago."""

    def protect_s(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - static
        """See `Keeping.protect_s`."""
        return outlook.curve.lease_s(outlook.reload_s)

    def worth(self, outlook: Outlook, age_s: float) -> float:  # noqa: ARG002 - by age alone
        """See `Keeping.worth`."""
        return -age_s


class ByIndex:
    """Protect while waiting pays, at any age; then give up in ascending `R·h`."""

    def protect_s(self, outlook: Outlook, age_s: float) -> float:
        """See `Keeping.protect_s`."""
        return outlook.curve.lease_s(outlook.reload_s, age_s)

    def worth(self, outlook: Outlook, age_s: float) -> float:
        """See `Keeping.worth`."""
        return outlook.reload_s * outlook.curve.index(age_s)


BY_INDEX = ByIndex()
