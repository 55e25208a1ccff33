"""The numbers of one play; `benchmarks/README.md` defines each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.crossdevice.bounds import bounds
from benchmarks.crossdevice.trace import Span, Trace


@dataclass(frozen=True, slots=True)
class Metrics:
    """See `benchmarks/README.md`; durations are in seconds."""

    latency_s: float
    sequential_s: float
    critical_path_s: float
    least_s: float
    tasks: int
    attempts: int
    repeats: int
    width: float
    width_max: int
    wasted_s: float
    worked_s: float
    replans: int
    planner_calls: int
    recovery_s: float | None

    def document(self) -> dict[str, float | int | None]:
        """Return them by name, rounded to milliseconds."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def measure(trace: Trace, *, struck_at: float | None = None, victim: str = "") -> Metrics:
    """Return the metrics of a run.

    Args:
        trace: the run.
        struck_at: when a fault struck, in the trace's time.
        victim: the device that it hit; empty: all of them.
    """
    limits, done = bounds(trace), trace.successes()
    worked = sum(span.end - span.start for span in trace.spans)
    return Metrics(
        latency_s=trace.seconds,
        sequential_s=limits.sequential,
        critical_path_s=limits.critical_path,
        least_s=limits.least,
        tasks=len(done),
        attempts=len(trace.spans),
        repeats=sum(len(spans) - 1 for spans in done.values()),
        width=worked / trace.seconds if trace.seconds else 0.0,
        width_max=_most(trace.spans),
        wasted_s=sum(span.end - span.start for span in trace.spans if not span.done),
        worked_s=worked,
        replans=max(0, trace.edits - 1),
        planner_calls=trace.calls,
        recovery_s=None if struck_at is None else _recovery(trace, struck_at, victim),
    )


def _most(spans: Sequence[Span]) -> int:
    """Return how many attempts ran at once at most."""
    changes = [(span.start, 1) for span in spans] + [(span.end, -1) for span in spans]
    now = most = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def _recovery(trace: Trace, struck_at: float, victim: str) -> float | None:
    """Return how long after the fault all was done that was under way where it struck.

    None where nothing was, or nothing of it was ever done: a plan may go another way.
    """
    hit = {
        span.task
        for span in trace.spans
        if span.start <= struck_at < span.end and victim in ("", span.device)
    }
    done = trace.successes()
    ends = [min(span.end for span in done[task]) for task in sorted(hit & done.keys())]
    return max(ends) - struck_at if ends else None
