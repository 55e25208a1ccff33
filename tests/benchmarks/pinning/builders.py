"""Runs for tests, by the seconds of their turns and gaps."""

from benchmarks.pinning.workloads import Run, Turn, Wait

ASK = Wait(1.0, "ask", "phone", 1.0, 0.5)


def run(arrival, *turns):
    """A run of turns, each `(work_s, gap_s)`."""
    return Run(arrival, tuple(Turn(work_s, ASK, gap_s) for work_s, gap_s in turns))
