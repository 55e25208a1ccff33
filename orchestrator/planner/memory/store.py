"""What was learned, in a folder: `works/*.yaml`, `tips.yaml` and `history.yaml`.

People read and edit the files; they are the truth, and what is here is read again where a file
changed. A damaged file is told of in `problems`, once, and left as it is: the rest goes on without
it, and nothing is written in its place. Every method reads or writes files: call it in a thread.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from orchestrator.core.facts import Fact, RunStatus
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import PlanRequest, RevisionRequest
from orchestrator.planner.memory import rates, tips
from orchestrator.planner.memory.adopting import adopt, answering, due
from orchestrator.planner.memory.aging import faded
from orchestrator.planner.memory.errors import LearningError, MemoryFileError
from orchestrator.planner.memory.experience import Try, tries
from orchestrator.planner.memory.files import one_writer, read_part, write_part
from orchestrator.planner.memory.retracting import digest, on_trial, overdue, planned, retract
from orchestrator.planner.memory.retrieving import Found, Known, ranked
from orchestrator.planner.memory.sampling import Sample, sample
from orchestrator.planner.memory.secrets import redacted
from orchestrator.planner.memory.works import Work, began, home
from orchestrator.planner.playbook.format import Part
from orchestrator.planner.playbook.library import PlaybookPlanner
from orchestrator.planner.playbook.plan import Playbook
from protocol.types import DeviceId

P = TypeVar("P", bound=Part)

MOST_WORKS: Final = 200
WORK_BYTES: Final = 256 * 1024  # of one file: four plans of 60 tasks have room
_HEAD: Final = "# Written by muster; edit or delete what you like.\n"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended, and what happened in it."""

    snapshot: RunSnapshot
    facts: Sequence[Fact]
    """All of the run, in the order of the journal."""
    wall: float
    """When it ended, seconds since the epoch."""
    classes: Mapping[DeviceId, str] = field(default_factory=dict)
    """Of devices, such as their label `role`."""


class Memory:
    """What finished runs have taught.

    Args:
        folder: made when something is learned; one process writes it at a time.
        now: the wall clock, seconds since the epoch.
        works: how many kinds of requests are kept; beyond, the least used and oldest go.
        adopt_into: a folder of playbooks, where `adopt_due` puts what `RULE` adopts; None: only
            people adopt.
        playbooks: the other folders of playbooks; what they answer is not adopted by the rule.
    """

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], float],
        works: int = MOST_WORKS,
        adopt_into: Path | None = None,
        playbooks: Sequence[Path] = (),
    ) -> None:
        self._folder = folder
        self._now = now
        self._works = works
        self._adopt_into = adopt_into
        self._playbooks = playbooks
        self._writing = threading.Lock()
        self._known: dict[str, tuple[Work, Known | None]] = {}
        self._read: dict[Path, tuple[tuple[int, int, int], Part | MemoryFileError]] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be read, and why: a line for each file."""
        self._parts(self._work_files(), Work)
        self._tips()
        self._counts()
        return tuple(
            str(part)
            for path, (_, part) in sorted(self._read.items())
            if isinstance(part, MemoryFileError)
        )

    def works(self) -> tuple[Work, ...]:
        """Return what was done, by name."""
        found = self._parts(self._work_files(), Work).values()
        return tuple(sorted(found, key=lambda work: work.name))

    def record(self, run: Finished) -> Work | None:
        """Learn from a run, and return the work that it belongs to, if it is one.

        Raises:
            LearningError: its plan is no work; its tips and counts were kept.
            MemoryFileError: somebody else writes the store now, or it cannot be written.
        """
        succeeded = run.snapshot.status is RunStatus.SUCCEEDED
        tried = tries(run.facts)
        with self._writing, one_writer(self._folder):
            self._record_tries(tried, run, succeeded=succeeded)
            self._record_trial(run)
            return self._record_work(sample(run.snapshot), run.wall, succeeded=succeeded)

    def adopt_due(self, work: Work) -> Path | None:
        """Adopt a work, if `RULE` says so and no playbook answers its requests; return the file.

        Raises:
            AdoptionError, MemoryFileError, PlaybookError: a playbook, or a file, is in the way.
        """
        into = self._adopt_into
        if into is None or (found := due(work)) is None:
            return None
        folders = [*self._playbooks, *([into] if into.is_dir() else [])]
        known = PlaybookPlanner(folders).playbooks
        there = answering(work, known.values())
        # One of ours is there already if only the mark in the work is missing.
        own = [each.name for each in there if Path(each.source).parent == into][:1]
        if len(there) > len(own):
            return None
        name = own[0] if own else _free(found.name, known)
        path = adopt(work.candidate(name=name), into)
        self.adopted(work.name, name, by_rule=digest(path))
        return path

    def retract_due(self) -> tuple[Path, ...]:
        """Take back what `RULE` adopted and no longer stands by; return where it is now.

        Raises:
            MemoryFileError: somebody else writes the store now, or a file cannot be moved.
        """
        moved: list[Path] = []
        if not any(map(overdue, self.works())):
            return ()
        with self._writing, one_writer(self._folder):
            for path, work, playbook in self._on_trial():
                if overdue(work):
                    moved.append(retract(playbook, self._folder / "retracted"))
                    self._write(path, work.retracted())
        return tuple(moved)

    def forget(self, name: str) -> bool:
        """Remove a work, and tell whether it was there; what became a playbook stays one.

        Raises:
            MemoryFileError: somebody else writes the store now, or it cannot be written.
        """
        with self._writing, one_writer(self._folder):
            works = self._parts(self._work_files(), Work).items()
            paths = [path for path, work in works if work.name == name]
            try:
                for path in paths:
                    path.unlink(missing_ok=True)
            except OSError as error:
                raise MemoryFileError(f"{error.filename}: cannot be removed: {error}") from error
        return bool(paths)

    def adopted(self, name: str, playbook: str, *, by_rule: str = "") -> None:
        """Note that a work has become a playbook.

        Args:
            name: of the work.
            playbook: what that is called.
            by_rule: the digest of what the rule wrote; a person's the rule leaves alone.

        Raises:
            MemoryFileError: somebody else writes the store now, or it cannot be written.
        """
        with self._writing, one_writer(self._folder):
            for path, work in self._parts(self._work_files(), Work).items():
                if work.name == name:
                    self._write(path, work.became(playbook, by_rule))

    def find(
        self, request: str, playbooks: Iterable[Playbook] = (), *, limit: int = 3
    ) -> tuple[Found, ...]:
        """Return playbooks, candidates and past runs that are like a request, best first."""
        known = [
            *(Known.of_playbook(each) for each in playbooks),
            *(each for work in self.works() if (each := self._of_work(work)) is not None),
        ]
        return ranked(redacted(request), known, limit=limit)

    def all_tips(self) -> tuple[tips.Tip, ...]:
        """Return all tips, those first that count most."""
        return self._tips().tips

    def tips_for(self, request: str, skills: Collection[str]) -> tuple[tips.Tip, ...]:
        """Return the few tips that matter for a request that will use these skills."""
        return tips.matching(self._tips().tips, request, skills, self._now())

    def success(self, skill: str, device: str) -> tuple[float, float]:
        """Return the rate of success, 0 to 1, and by how many attempts it is known."""
        return rates.success(self._counts().counts, skill, device, self._now())

    def history(self) -> Mapping[tuple[str, DeviceId], tuple[float, float]]:
        """Return (skill, device) → successes and all attempts, faded, for `checks.score`."""
        return rates.totals(self._counts().counts, self._now())

    def advice(
        self, request: PlanRequest | RevisionRequest, playbooks: Iterable[Playbook] = ()
    ) -> tuple[str, ...]:
        """Return what a planner is told: similar works, then tips about their skills."""
        if isinstance(request, RevisionRequest):
            words, found = request.snapshot.request, tuple[Found, ...]()
            rows = (row for row in request.snapshot.tasks if row.spec.id == request.task)
            skills = {row.spec.skill for row in rows}
        else:
            words = request.request
            found = self.find(words, playbooks)
            skills = {skill for each in found for skill in each.known.skills}
        told = self.tips_for(words, skills)
        self._note_use(found, told)
        return (*(each.line for each in found), *(each.line for each in told))

    def _record_tries(self, tried: Sequence[Try], run: Finished, *, succeeded: bool) -> None:
        if not tried:
            return
        counts = rates.counted(self._counts().counts, tried, run.wall)
        self._write(self._folder / "history.yaml", rates.Counts(counts=counts))
        before = self._tips().tips
        after = tips.learned(
            before,
            tried,
            run.wall,
            succeeded=succeeded,
            classes=run.classes,
            request=run.snapshot.request,
        )
        if after != before:
            self._write(self._folder / "tips.yaml", tips.Tips(tips=after))

    def _record_trial(self, run: Finished) -> None:
        """Count a run for, or against, the playbook that the rule made and that planned it."""
        status, request = run.snapshot.status, run.snapshot.request
        if status not in (RunStatus.SUCCEEDED, RunStatus.FAILED):
            return
        failure = None if status is RunStatus.SUCCEEDED else tips.normalised(run.snapshot.reason)
        for path, work, playbook in self._on_trial():
            if planned(playbook, request, run.facts) and (failure is not None or work.against):
                self._write(path, work.tried(failure))

    def _on_trial(self) -> Sequence[tuple[Path, Work, Playbook]]:
        """Return the works that the rule made playbooks of, which nobody changed since."""
        parts = self._parts(self._work_files(), Work).items()
        digests = {work.digest for _, work in parts if work.digest}
        if self._adopt_into is None or not digests:
            return ()
        there = on_trial(digests, self._adopt_into)
        return [(path, work, there[work.digest]) for path, work in parts if work.digest in there]

    def _record_work(self, done: Sample, wall: float, *, succeeded: bool) -> Work | None:
        there = self._parts(self._work_files(), Work)
        found = home([*there.values()], done)
        if found is not None:
            work = found.succeeded(done, wall) if succeeded else found.failed(wall)
        elif succeeded:
            work = began(done, wall)
        else:
            return None
        before = next((path for path, each in there.items() if each is found), None)
        others = {path: each for path, each in there.items() if path != before}
        work, path = _bounded(work), before
        if found is None or found.name != work.name:
            name = _free(work.name, {each.name for each in others.values()})
            work = work.model_copy(update={"name": name})
            taken = {each.stem for each in self._work_files()}  # damaged ones included
            path = self._folder / "works" / f"{_free(f'{name}-{work.shape}', taken)}.yaml"
        assert path is not None  # noqa: S101 - as `found` has one
        self._write(path, work)
        if before not in (None, path):
            before.unlink(missing_ok=True)
        self._evict(others)
        return work

    def _evict(self, works: Mapping[Path, Work]) -> None:
        """Remove works beyond the bound, the least used and oldest first, beside a new one.

        Those whose playbook is on trial go last.
        """
        order = sorted(
            works,
            key=lambda path: (works[path].digest != "", _worth(works[path], self._now()), path),
        )
        for path in order[: max(0, len(works) + 1 - self._works)]:
            path.unlink(missing_ok=True)

    def _note_use(self, found: Iterable[Found], told: Collection[tips.Tip]) -> None:
        names = {each.known.name for each in found if each.known.source != "playbook"}
        if not names and not told:
            return
        try:
            with self._writing, one_writer(self._folder):
                for path, work in self._parts(self._work_files(), Work).items():
                    if work.name in names:
                        self._write(path, work.model_copy(update={"used": work.used + 1}))
                if told:
                    kept = (
                        tip.model_copy(update={"used": tip.used + (tip in told)})
                        for tip in self._tips().tips
                    )
                    self._write(self._folder / "tips.yaml", tips.Tips(tips=tuple(kept)))
        except MemoryFileError:
            return  # how often something was used only orders what is dropped first

    def _of_work(self, work: Work) -> Known | None:
        """Return what is known of a work; None: a person edited it, and it is none any more."""
        name = work.name
        if name not in self._known or self._known[name][0] is not work:
            try:
                self._known[name] = work, Known.of_work(work)
            except LearningError:
                self._known[name] = work, None
        return self._known[name][1]

    def _tips(self) -> tips.Tips:
        path = self._folder / "tips.yaml"
        return self._parts([path], tips.Tips).get(path, tips.Tips())

    def _counts(self) -> rates.Counts:
        path = self._folder / "history.yaml"
        return self._parts([path], rates.Counts).get(path, rates.Counts())

    def _work_files(self) -> Sequence[Path]:
        return sorted((self._folder / "works").glob("*.yaml"))

    def _parts(self, paths: Iterable[Path], form: type[P]) -> dict[Path, P]:
        """Read files that changed; those that are not there, or damaged, are left out."""
        found: dict[Path, P] = {}
        for path in paths:
            try:
                seen = path.stat()
            except OSError:
                self._read.pop(path, None)
                continue
            stamp = seen.st_mtime_ns, seen.st_size, seen.st_ino
            if path not in self._read or self._read[path][0] != stamp:
                try:
                    self._read[path] = stamp, read_part(path, form)
                except MemoryFileError as error:
                    self._read[path] = stamp, error
            part = self._read[path][1]
            if isinstance(part, form):
                found[path] = part
        return found

    def _write(self, path: Path, part: Part) -> None:
        """Write a file, unless what is there is damaged: somebody may want to mend it."""
        if not isinstance(self._read.get(path, ((0, 0, 0), None))[1], MemoryFileError):
            write_part(path, part, head=_HEAD)


def _bounded(work: Work) -> Work:
    """Return a work without as many of its oldest runs as make it too large.

    Raises:
        LearningError: its newest run alone is.
    """
    for n in range(len(work.samples)):
        smaller = work.model_copy(update={"samples": work.samples[n:]})
        if len(smaller.model_dump_json()) <= WORK_BYTES:
            return smaller
    raise LearningError(f"the plan of {work.samples[-1].run} is larger than {WORK_BYTES} bytes")


def _worth(work: Work, now: float) -> float:
    return faded(work.successes + work.used, work.wall, now)


def _free(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    return next(each for each in (name, *numbered) if each not in taken)
