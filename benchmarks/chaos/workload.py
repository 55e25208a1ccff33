"""The runs: graphs of 10 to 19 tasks, drawn from the seed.

```
chain of 2-4 ─► fan of 3-5 ─► gather ─► for_each over 2-4 items ─► note
                                └─► receipt, receipt?
```
A task works for 20 to 300 ms. Of those with a successor 40 % are pure, 30 % idempotent and 30 %
`once` with a way to look up what came of them. A receipt is `once` without: what a kill leaves
unknown there stays so. Receipts are leaves, so that each counts for itself in `completed`.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from protocol.types import Json

WORK_S: Final = (0.02, 0.3)
KINDS: Final[Mapping[str, int]] = {"compute": 40, "store": 30, "pay": 30}
RECEIPT: Final = "print_once"
LIMITS: Final[Mapping[str, Json]] = {"run_s": 30.0, "unknown_s": 10.0}

Task = Mapping[str, Json]


def plan(number: int, *, seed: int, log: str) -> Mapping[str, Json]:
    """Return the plan of one run, as `submit` takes it.

    Args:
        number: of the run.
        seed: of the campaign.
        log: the file of effects.
    """
    chance = random.Random(f"{seed}/run/{number}")
    return {"edits": [{"add_task": dict(task)} for task in _tasks(chance, log)]}


def _tasks(chance: random.Random, log: str) -> Iterator[Task]:
    last: str | None = None
    for n in range(chance.randint(2, 4)):
        yield _task(f"chain{n}", chance, log, after=[last] if last else [])
        last = f"chain{n}"
    assert last is not None
    fan = [f"fan{n}" for n in range(chance.randint(3, 5))]
    for name in fan:
        yield _task(name, chance, log, after=[last])
    yield _task("gather", chance, log, after=fan, items=chance.randint(2, 4))
    each = _task("each", chance, log)
    yield {**each, "for_each": {"source": {"$from": "gather", "path": ["items"]}}}
    yield _task("note", chance, log, after=["each"])
    for n in range(chance.randint(1, 2)):
        yield _task(f"receipt{n}", chance, log, after=["gather"], skill=RECEIPT)


def _task(
    name: str,
    chance: random.Random,
    log: str,
    *,
    after: Sequence[str] = (),
    items: int = 0,
    skill: str | None = None,
) -> Task:
    drawn = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    args: dict[str, Json] = {
        "log": log,
        "work_s": round(chance.uniform(*WORK_S), 3),
        "items": items,
        "given": [{"$from": each} for each in after],
    }
    return {"id": name, "skill": skill or drawn, "args": args, "limits": LIMITS}
