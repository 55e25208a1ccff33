"""Faults that comparable systems have, by number, and the tests here that name it.

A test names a line by `peer_7` in its own name (`peer_11_13` names two).
"""

import re
from pathlib import Path

TESTS = Path(__file__).parent
FAULTS = {
    1: "two completions in one planner batch: one is lost, and the run hangs",
    2: "any completion stops all dispatch while the planner thinks",
    3: "a second and more of sleep in every hop of a chain",
    4: "the cost of a task grows with their number; timers leak",
    5: "a reconnect cancels itself and never comes",
    6: "a lost connection fails all tasks queued for the device",
    7: "no cancel on the wire: what timed out runs on, and the next is sent as well",
    8: "heartbeats that nobody reads: minutes until a half-open link is noticed",
    9: "conditions on edges are not evaluated; a success without a value is a failure",
    10: "running and finished tasks can be edited; a refused edit leaves damage",
    11: "an error of the planner, or an unknown device, kills the run without a word",
    12: "the death of the process loses the run and its work in flight",
    13: "unknown dependencies, cycles and empty plans hang",
    14: "one failure aborts everything that is pending",
    15: "no time limits: a stuck task is invisible",
    16: "retries without back-off, on the same worker each time",
    17: "limits on concurrency are not kept",
    18: "replanning rewrites one text; the graph never changes",
    19: "right answers are failed for their words",
    20: "judging many answers blocks everything else",
    21: "a barrier holds a ready task back until unrelated siblings are done",
    22: "an interrupted task runs again from its start",
    23: "warm state is kept without looking at the graph",
    24: "a fresh installation no longer imports",
    25: "an import of seconds and hundreds of megabytes",
    26: "full results of every task go into every prompt",
}
LATER: dict[int, str] = {}
_NAMED = re.compile(r"def (test_\w*?peers?((?:_\d+)+)(?:_\w+)?)\(")


def shown_by():
    """Return by number the tests that name it: (name, path), in order."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, numbers in _NAMED.findall(path.read_text()):
            for number in numbers.strip("_").split("_"):
                found.setdefault(int(number), []).append((name, path.relative_to(TESTS)))
    return found


def table():
    """Draw the table of ARCHITECTURE.md: a test for each line, and how many more there are."""
    found = shown_by()
    lines = ["| | seen elsewhere | shown not to be here by |", "| --- | --- | --- |"]
    for number, fault in FAULTS.items():
        tests = found.get(number, [])
        shown = LATER.get(number, "")
        if tests:
            name, path = tests[0]
            more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
            shown = f"`{name}` in `{path}`{more}"
        lines.append(f"| {number} | {fault} | {shown} |")
    return "\n".join(lines)
