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


def measure(trace: Trace, *, struck_at: float | None = None) -> Metrics:
    """Return the metrics of a run; `struck_at` is when a fault struck, in the trace's time."""
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
        recovery_s=_recovery(trace.spans, struck_at),
    )


def _most(spans: Sequence[Span]) -> int:
    """Return how many attempts ran at once at most."""
    changes = [(span.start, 1) for span in spans] + [(span.end, -1) for span in spans]
    now = most = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def _recovery(spans: Sequence[Span], struck_at: float | None) -> float | None:
    """Return how long after the fault the first result came in; None where there was none."""
    if struck_at is None:
        return None
    later = [span.end for span in spans if span.done and span.end >= struck_at]
    return min(later) - struck_at if later else None
