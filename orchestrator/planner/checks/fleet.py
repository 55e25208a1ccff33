"""Which known device can do what; answers are kept, plans ask the same again and again."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import is_
from typing import Final, NamedTuple

from orchestrator.core.model import DEFAULT_NEEDS, TaskSpec
from orchestrator.core.retention.needs import named
from orchestrator.planner.arguments import Contract, contract
from orchestrator.planner.checks.outputs import Reach, reach
from orchestrator.planner.checks.scan import Path
from orchestrator.planner.refusals import labels
from protocol.nearest import nearest
from protocol.types import DeviceCard, Effect, Json, SkillInfo

MOST_KEPT: Final = 4096  # ways to choose devices: plans may name any number of skills and labels
_WORST_LAST = (Effect.PURE, Effect.IDEMPOTENT, Effect.ONCE)


class Offer(NamedTuple):
    """A skill on a device."""

    card: DeviceCard
    skill: SkillInfo


class Offers:
    """The devices that may run a task, whatever room they have, and what they say of its skill."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self.all = offers
        self._reached: dict[Path, Reach] = {}

    @cached_property
    def contracts(self) -> Sequence[Contract]:
        """What the skill takes, each form once."""
        return [contract(schema) for schema in _distinct(o.skill.input_schema for o in self.all)]

    @cached_property
    def effect(self) -> Effect:
        """The worst effect class that any declares; `once` where nobody does."""
        declared = [offer.skill.effect for offer in self.all]
        return max(declared, key=_WORST_LAST.index, default=Effect.ONCE)

    @cached_property
    def outputs(self) -> Sequence[Mapping[str, Json] | None]:
        """What comes of the skill, each form once; None: anything."""
        return _distinct(offer.skill.output_schema for offer in self.all)

    def reach(self, path: Path) -> Reach:
        """Tell whether something can be at a path in the output, on any of the devices."""
        if path not in self._reached:
            found = (reach(schema, path) for schema in self.outputs)
            self._reached[path] = max(found, default=Reach.POSSIBLE)
        return self._reached[path]


class Fleet:
    """The known devices, indexed by what they can do."""

    def __init__(self, cards: Iterable[DeviceCard]) -> None:
        self.cards = tuple(cards)
        self._offers: dict[object, Offers] = {}
        self._anywhere: dict[str, Offers] = {}

    @classmethod
    def of(cls, cards: Iterable[DeviceCard]) -> "Fleet":
        """Return the fleet of these cards, the one before if they are the same objects.

        Cards change seldom, and plans are judged often: what follows from cards alone is kept.
        """
        wanted = tuple(cards)
        known = _LATEST[0]
        if len(known.cards) != len(wanted) or not all(map(is_, known.cards, wanted)):
            known = _LATEST[0] = cls(wanted)
        return known

    @cached_property
    def skills(self) -> Mapping[str, Sequence[Offer]]:
        """Who offers each skill, in the order of the cards."""
        found: dict[str, list[Offer]] = {}
        for card in self.cards:
            for skill in card.skills:
                found.setdefault(skill.name, []).append(Offer(card, skill))
        return found

    def offers(self, spec: TaskSpec) -> Offers:
        """Return the devices that may run the task."""
        plain = spec.needs is DEFAULT_NEEDS and spec.for_each is None
        if plain and (kept := self._anywhere.get(spec.skill)):  # most may run anywhere
            return kept
        wanted = labels(spec)
        device = spec.needs.device
        key = spec.skill, device, frozenset(wanted.items()) if wanted else None
        found = self._offers.get(key)
        if found is None:
            if len(self._offers) >= MOST_KEPT:
                self._offers.clear()
                self._anywhere.clear()
            found = self._offers[key] = Offers(
                [
                    offer
                    for offer in self.skills.get(spec.skill, ())
                    if device in (None, offer.card.device)
                    and wanted.items() <= offer.card.labels.items()
                ]
            )
        if plain:
            self._anywhere[spec.skill] = found
        return found

    def roomy(self, spec: TaskSpec) -> Sequence[Offer]:
        """Return those that can hold what it needs; a kind that a card does not name is none."""
        offers, amounts = self.offers(spec).all, dict[str, float]()
        for name, amount in named(spec.needs.resources, None).items():
            amounts[name.kind] = amounts.get(name.kind, 0.0) + amount
        return [
            offer
            for offer in offers
            if all(offer.card.capacity.get(kind, 0.0) >= n for kind, n in amounts.items())
        ]

    def effect(self, spec: TaskSpec) -> Effect:
        """Return the effect class of a task."""
        return self.offers(spec).effect if spec.effect is None else spec.effect

    def lack(self, spec: TaskSpec) -> str:
        """Say what is missing where no device may run the task."""
        device = spec.needs.device
        where = [f"is {device!r}"] if device else []
        where += [f"has {key}={value}" for key, value in labels(spec).items()]
        which = " that " + " and ".join(where) if where else ""
        hint = "" if spec.skill in self.skills else nearest(spec.skill, self.skills)
        return f"task {spec.id!r}: no known device{which} offers the skill {spec.skill!r}{hint}"


_LATEST: Final = [Fleet(())]


def _distinct(
    schemas: Iterable[Mapping[str, Json] | None],
) -> Sequence[Mapping[str, Json] | None]:
    found: list[Mapping[str, Json] | None] = []
    for schema in schemas:
        if schema not in found:
            found.append(schema)
    return found
