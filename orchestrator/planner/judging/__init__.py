"""A model that judges ended runs, beside the work: its verdict is words for people.

Plans are chosen and runs go on without it (`planner.checks.scoring`); it is asked when a run has
ended, and what it says is a fact of the journal that nothing depends on. A judge that is slow,
down or talks nonsense leaves its runs without a verdict, and changes nothing else.

`outline` (what it is told of a run) · `question`, `verdict` (pure: what is asked, what came) ·
`judge` (asks) · `bounds`, `settings`, `setup` (the table `[planner.judge]`). Nothing is loaded
from here: a coordinator without a judge does not pay for one.
"""
