"""Checks of a plan before it is committed: pure functions from a batch to reasons against it.

`check` finds what makes a batch wrong, `advise` what may be wrong or may change while the run goes
on, `score` which of several plans to take. Each reason names a rule, a task and a way to mend it.
All look at the run as the batch would leave it, and speak of what the batch writes. Arguments are
judged one by one against the JSON Schema on the device cards; one that holds a reference counts as
given, its value is known only when the run gets there.

| check | rules, beyond those of `Reason` | advice |
| --- | --- | --- |
| `structure` | | |
| `solvable` | `arguments`, `output`, `labels`, `capacity` | `no_device`, `capacity`, `output` |
| `complete` (with a goal) | `lost_literal`, `deliverable` | |
| `redundant` | `duplicate_work`, `dead_task` | `needless_edge`, `missing_dependency` |
| `feasible` | `limit`, `deadline`, `window`, `downtime` | |

15 to 20 µs a task, all together (`cost.check_ms`), unless nothing fits the times: then up to 4,000
further placements are tried, about 15 ms.
"""

from orchestrator.planner.checks.complete import Goal
from orchestrator.planner.checks.scoring import Score, score
from orchestrator.planner.checks.whole import advise, check
from orchestrator.planner.checks.work import Times

__all__ = ["Goal", "Score", "Times", "advise", "check", "score"]
