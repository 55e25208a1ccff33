"""The recount: what the file of effects shows, held against what clients were told.

It shares no code with the system. What counts as what:

* **lost**: a submission that was accepted and is not known any more; a task that is told to have
  succeeded by an attempt of which the file does not show the effect; a success that was told, and
  taken back; a `once` effect of a task that is told to have failed, and never was called unknown.
* **doubled**: a `once` task that was started twice; a task that was started again though its
  success was journaled, by an attempt placed after that or already over; an attempt that was
  started and never placed; a second run for the same key.
* **hung**: a run that has not ended, or a submission without an answer, when the calm is over.

The effect of a `once` skill is the line of its start, that of the others the line of their end. A
task tried twice because nobody knew of the first try in time is neither: it is `repeated_work`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from benchmarks.chaos.effects import Line, Mark, TaskKey
from benchmarks.chaos.evidence import Evidence, FinalState, Kill, Success, Told

ONCE: Final = frozenset({"pay", "print_once"})
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be: `kind` is `lost`, `doubled` or `hung`."""

    kind: str
    run: str
    task: str
    detail: str


def violations(evidence: Evidence) -> tuple[Violation, ...]:
    """Return everything that is lost, doubled or hung."""
    return tuple(_violations(evidence))


def _violations(evidence: Evidence) -> Iterator[Violation]:
    lines = _by_task(evidence.lines)
    if evidence.listed is None:
        yield Violation("hung", "", "", "the coordinator does not list its runs")
    for told in evidence.told:
        if evidence.listed is not None:
            yield from _submission(told, evidence.listed.get(told.request, ()))
        yield from _ended(told)
        yield from _effects(told, lines)
        yield from _repeats(told, lines)


def figures(evidence: Evidence) -> Mapping[str, float]:
    """Return every figure but the recovery times of which there are none."""
    found = Counter(each.kind for each in violations(evidence))
    tasks = [(told, name) for told in evidence.told for name in told.tasks]
    done = sum(told.tasks[name].state == SUCCEEDED for told, name in tasks)
    unknown = sum(name in told.unknown and name not in told.successes for told, name in tasks)
    accepted = [told for told in evidence.told if told.run]
    starts = [line.key for line in evidence.lines if line.mark is Mark.START]
    recoveries = sorted(each for each in recovery_times(evidence) if each is not None)
    return {
        **{kind: found[kind] for kind in ("lost", "doubled", "hung")},
        "completed": _share(done, len(tasks)),
        "completed_runs": _share(sum(t.status == SUCCEEDED for t in accepted), len(accepted)),
        "unknown": _share(unknown, len(tasks)),
        "inflight_kills": _share(sum(bool(k.held) for k in evidence.kills), len(evidence.kills)),
        "repeated_work": _share(len(starts) - len(set(starts)), len(starts)),
        "kills": len(evidence.kills),
        "runs": len(accepted),
        "tasks": len(tasks),
        **_percentiles(recoveries),
    }


def recovery_times(evidence: Evidence) -> Sequence[float | None]:
    """Return, for each kill, the seconds until all that the victim held has moved on.

    A task moves on when it is started anew, or when its end is journaled. None: nothing was held,
    or it never moved.
    """
    starts = defaultdict[TaskKey, list[Line]](list)
    for line in evidence.lines:
        if line.mark is Mark.START:
            starts[line.key].append(line)
    news = defaultdict[TaskKey, list[float]](list)
    for told in evidence.told:
        for wall, task in told.news:
            news[told.run, task].append(wall)
    return [_recovery_s(kill, starts, news) for kill in evidence.kills]


def _recovery_s(
    kill: Kill,
    starts: Mapping[TaskKey, Sequence[Line]],
    news: Mapping[TaskKey, Sequence[float]],
) -> float | None:
    moved = []
    for held in kill.held:
        walls = [line.at for line in starts.get(held.key, ()) if line != held]
        walls += news.get(held.key, ())
        moved.append(min((wall for wall in walls if wall >= kill.at), default=None))
    known = [wall for wall in moved if wall is not None]
    return max(known) - kill.at if known and len(known) == len(moved) else None


_Lines = Mapping[TaskKey, Sequence[Line]]


def _submission(told: Told, listed: Sequence[str]) -> Iterator[Violation]:
    """Look for the run among those that are listed for its request."""
    if told.run and told.run not in listed:
        yield Violation("lost", told.run, "", f"{told.request!r} was accepted and is not listed")
    if len(listed) > 1:
        yield Violation("doubled", told.run, "", f"{told.request!r} made runs {sorted(listed)}")


def _ended(told: Told) -> Iterator[Violation]:
    """Look for the end of the run."""
    if not told.run:
        yield Violation("hung", "", "", f"{told.request!r} was not accepted in time")
    elif told.denied:
        yield Violation("lost", told.run, "", f"the accepted run is denied: {told.denied}")
    elif not told.complete:
        yield Violation("hung", told.run, "", f"{told.request!r} has not ended")


def _effects(told: Told, lines: _Lines) -> Iterator[Violation]:
    """Look for the effect of every success, and for the success of every effect told."""
    for name, final in told.tasks.items():
        mark = Mark.START if final.skill in ONCE else Mark.END
        effects = [line.attempt for line in lines.get((told.run, name), ()) if line.mark is mark]
        success, open_ended = told.successes.get(name), name in told.unknown
        if detail := _untrue(final, success, effects, open_ended=open_ended):
            yield Violation("lost", told.run, name, detail)


def _untrue(
    final: FinalState, success: Success | None, effects: Sequence[str], *, open_ended: bool
) -> str:
    """Say what is untrue of how a task is told to stand; empty if it is true."""
    if final.state == SUCCEEDED:
        attempt = success.attempt if success is not None else "nobody"
        if final.executes and attempt not in effects:
            return f"it succeeded by {attempt}, of whom there is no effect"
    elif success is not None:
        return f"its success was told, and now it is {final.state}"
    elif final.state == FAILED and final.skill in ONCE and effects and not open_ended:
        return f"it is told to have failed, and {effects[0]} had its effect"
    return ""


def _repeats(told: Told, lines: _Lines) -> Iterator[Violation]:
    """Look for starts that should not have been; only a run told to its end can be judged."""
    for name, final in told.tasks.items():
        starts = [line for line in lines.get((told.run, name), ()) if line.mark is Mark.START]
        if final.skill in ONCE and len(starts) > 1:
            attempts = ", ".join(line.attempt for line in starts)
            yield Violation("doubled", told.run, name, f"a once task was started by {attempts}")
        for start in starts:
            if detail := _wrong(start, told):
                yield Violation("doubled", told.run, name, f"{start.attempt} {detail}")


def _wrong(start: Line, told: Told) -> str:
    """Say why a start should not have been; empty if nothing is wrong with it."""
    success, placed = told.successes.get(start.task), told.placed.get(start.attempt)
    if placed is None:
        return "was started and never placed"
    if success is None:
        return ""
    if placed > success.seq:
        return f"was placed after {success.attempt} had succeeded"
    if start.attempt == success.attempt and start.at > success.wall:
        return "was started again after it had succeeded"
    return ""


def _by_task(lines: Sequence[Line]) -> _Lines:
    found = defaultdict[TaskKey, list[Line]](list)
    for line in lines:
        found[line.key].append(line)
    return found


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _percentiles(values: Sequence[float]) -> Mapping[str, float]:
    """Return the median and the 95th percentile; of a single value it is both."""
    if not values:
        return {}
    cuts = quantiles([*values, *values] if len(values) == 1 else values, n=20, method="inclusive")
    return {"recovery_p50_s": cuts[9], "recovery_p95_s": cuts[18]}
