"""Random plans of at least 20 tasks: chains, fan-outs, layers, loops and branches.

The skills they name are those of `fleet`. Durations are the tasks' own, so that a plan lasts long
enough for things to go wrong.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.model import Dependency, ForEach, Limits, Needs, On, Op, Predicate, TaskSpec
from protocol.types import Json, PinScope, ResourceNeed, TaskId

MIN_TASKS: Final = 20
AMPLE: Final = Limits(
    queue_s=900.0, start_s=15.0, run_s=400.0, input_s=400.0, unknown_s=400.0, attempts=40
)
"""More than any storm can use up: with these only a lost `once` outcome excuses a failure."""
TIGHT: Final = Limits(
    queue_s=60.0, start_s=6.0, run_s=15.0, input_s=30.0, unknown_s=20.0, attempts=3
)
SESSION, MODEL = "session", "model"
"""Kinds of warm resources: a run's own, and shared."""
EXPECTING: Final = 0.1  # share of the tasks whose result may come unexpected
_EFFECTS: Final = ("compute", "write", "act")


class Draft:
    """A plan in the making."""

    def __init__(
        self, chance: random.Random, *, once: float, asks: float, warm: float, limits: Limits
    ) -> None:
        self.chance = chance
        self._doubts = random.Random(str(chance.getstate()))  # so that seeds mean the same
        self.edits: list[Edit] = []
        self._once = once
        self._asks = asks
        self._warm = warm
        self._limits = limits
        self._count = 0

    def task(
        self,
        *after: TaskId,
        skill: str | None = None,
        seconds: tuple[float, float] = (0.5, 4.0),
        source: TaskId | None = None,
        on: On | None = None,
        min_success: int | None = None,
    ) -> TaskId:
        """Add a task; it refers to what it is `after`, or waits for it as `on` says."""
        name = TaskId(f"t{self._count}")
        self._count += 1
        args: dict[str, Json] = {"seconds": round(self.chance.uniform(*seconds), 2)}
        loop = None
        if source is not None:
            loop = ForEach({"$from": source}, min_success=min_success)
            args["item"] = {"$item": []}
        elif on is None:
            args |= {f"after{n}": {"$from": name} for n, name in enumerate(after)}
        spec = TaskSpec(
            name,
            skill or self._skill(),
            args,
            limits=self._limits,
            needs=self._needs(),
            for_each=loop,
            expect=self._expect(loop),
        )
        self.edits.append(AddTask(spec))
        if on is not None:
            when = Predicate(("n",), Op.GE, 0.5) if on is On.WHEN else None
            self.edits += (AddDependency(Dependency(before, name, on, when)) for before in after)
        return name

    def _needs(self) -> Needs:
        """Some tasks go on in a session of their run, or use a model that runs share."""
        if self.chance.random() >= self._warm:
            return Needs()
        session = ResourceNeed(SESSION, f"s{self.chance.randrange(2)}", 1.0)
        model = ResourceNeed(MODEL, f"m{self.chance.randrange(3)}", 1.0, PinScope.SHARED)
        return Needs(resources=self.chance.choice([(session,), (session,), (model,)]))

    def _expect(self, loop: ForEach | None) -> Predicate | None:
        """Some results are taken to be large: the planner looks at those that are not."""
        if self._doubts.random() >= EXPECTING:
            return None
        return Predicate(("n",) if loop is None else ("results", 0, "n"), Op.GE, 0.5)

    def _skill(self) -> str:
        draw = self.chance.random()
        if draw < self._once:
            return "act"
        asks = draw < self._once + self._asks
        return "ask" if asks else self.chance.choice(("compute", "write"))


def plan(
    chance: random.Random, shape: str, *, once: float, asks: float, warm: float, limits: Limits
) -> EditBatch:
    """Draw a plan of a shape.

    Args:
        chance: where it comes from.
        shape: one of `SHAPES`.
        once: the share of its tasks whose effect may happen once.
        asks: the share of its tasks that ask a person.
        warm: the share of its tasks that need something warm.
        limits: of every task.
    """
    draft = Draft(chance, once=once, asks=asks, warm=warm, limits=limits)
    SHAPES[shape](draft)
    return EditBatch(0, tuple(draft.edits))


def tasks(batch: EditBatch) -> Iterator[TaskSpec]:
    """Yield the tasks that a batch adds."""
    return (edit.task for edit in batch.edits if isinstance(edit, AddTask))


def _chain(draft: Draft) -> None:
    last = draft.task(seconds=(0.2, 2.5))
    for _ in range(MIN_TASKS - 1):
        last = draft.task(last, seconds=(0.2, 2.5))


def _fan_out(draft: Draft) -> None:
    root = draft.task()
    leaves = [draft.task(root) for _ in range(draft.chance.randint(MIN_TASKS - 2, 28))]
    draft.task(*leaves)


def _layers(draft: Draft) -> None:
    before: list[TaskId] = []
    for _ in range(4):
        before = [
            draft.task(*draft.chance.sample(before, min(len(before), draft.chance.randint(1, 3))))
            for _ in range(draft.chance.randint(5, 7))
        ]


def _loops(draft: Draft) -> None:
    for _ in range(4):
        found = draft.task(skill="list")
        least = draft.chance.choice([None, 0])
        loop = draft.task(source=found, skill=draft.chance.choice(_EFFECTS), min_success=least)
        draft.task(loop)
        draft.task(draft.task(), loop, on=On.COMPLETION)


def _branches(draft: Draft) -> None:
    for _ in range(4):
        root = draft.task(skill="compute")
        yes = draft.task(root, on=On.WHEN)
        no = draft.task(root, on=On.FAILURE)
        draft.task(yes, no, on=On.COMPLETION)
        draft.task(yes)


SHAPES: Final[Mapping[str, Callable[[Draft], None]]] = {
    "chain": _chain,
    "fan_out": _fan_out,
    "layers": _layers,
    "loops": _loops,
    "branches": _branches,
}
