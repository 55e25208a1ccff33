"""The coordinator's skills: a table from which its card, its answers and its errors come."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.clock import loop_clock
from orchestrator.core.edits import CancelTask, EditBatch
from orchestrator.core.errors import RequestError
from orchestrator.core.model import RunLimits
from orchestrator.core.snapshot import device_snapshot, task_snapshot, warm_of
from orchestrator.core.state import Task
from orchestrator.library import Orchestrator
from orchestrator.questions import open_questions
from orchestrator.run import Run
from orchestrator.service import arguments as a
from orchestrator.service.documents import (
    Document,
    Page,
    of_device,
    of_entry,
    of_questions,
    of_run,
    of_task,
    of_warm,
    paged,
)
from protocol.nearest import nearest
from protocol.types import Effect, Failed, FailureKind, Outcome, RunId, Succeeded, TaskId

LINGER_S: Final = 0.05  # what happens together is told together


@dataclass(frozen=True, slots=True)
class CoordinatorSkill:
    """One row: what a skill takes, what it does, and whether it changes anything."""

    arguments: type[a.Arguments]
    act: Callable[[Orchestrator, Any], Awaitable[Document]]
    effect: Effect = Effect.IDEMPOTENT

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (self.act.__doc__ or "").partition("\n")[0]


async def submit(orchestrator: Orchestrator, args: a.Submit) -> Document:
    """Take a request and return its run at once; a repeat with the same key makes no second."""
    run = await orchestrator.submit(
        args.request,
        plan=args.plan.batch(0) if args.plan else None,
        parameters=args.parameters,
        key=args.key,
        owner=args.owner,
        priority=args.priority,
        limits=RunLimits(deadline_s=args.deadline_s),
        deliverables=args.deliverables,
    )
    return _standing(orchestrator, run)


async def show(orchestrator: Orchestrator, args: a.Show) -> Document:
    """Return a run, what it asks and keeps warm, and its tasks, a page of them, or one."""
    state, now = orchestrator.coordinator.engine.state, orchestrator.coordinator.clock().elapsed
    run = state.runs[find(orchestrator, args.run).id]
    tasks: Iterable[Task] = run.tasks.values()
    if args.task is not None:
        tasks = [run.tasks[find_task(orchestrator, run.id, args.task)]]
    return {
        "run": {
            **of_run(run),
            **of_questions(open_questions(run, state)),
            **of_warm(warm_of(run, state, now)),
        },
        **paged(
            "tasks",
            tasks,
            start=args.start,
            document=lambda task: of_task(task_snapshot(task, state)),
        ),
    }


async def runs(orchestrator: Orchestrator, args: a.Listing) -> Document:
    """Return the runs, newest first."""
    newest = reversed(orchestrator.coordinator.engine.state.runs.values())
    return paged("runs", newest, start=args.start, document=of_run)


async def devices(orchestrator: Orchestrator, args: a.Listing) -> Document:
    """Return the known devices and what is warm there, in order of arrival."""
    state, now = orchestrator.coordinator.engine.state, orchestrator.coordinator.clock().elapsed
    return paged(
        "devices",
        state.devices.values(),
        start=args.start,
        document=lambda device: of_device(device_snapshot(device, state, now)),
    )


async def events(orchestrator: Orchestrator, args: a.Events) -> Document:
    """Return what happened after an offset, as soon as something did, and where to go on."""
    run = find(orchestrator, args.run)
    page, last, ended = Page(), args.after, False
    loop = asyncio.get_running_loop()
    latest = loop.time() + max(args.wait_s, LINGER_S)
    with suppress(TimeoutError):
        async with asyncio.timeout_at(latest) as limit, aclosing(run.events(args.after)) as news:
            async for entry in news:
                if not page.add(of_entry(entry)):
                    break
                last = entry.seq
                latest = min(latest, loop.time() + LINGER_S)  # however much goes on happening
                limit.reschedule(latest)
            else:
                ended = True
    now = loop_clock().wall
    return {"run": run.id, "events": page.items, "next": last, "ended": ended, "wall": now}


async def story(orchestrator: Orchestrator, args: a.Story) -> Document:
    """Return what happened to a task after an offset, and where to go on, if there is more."""
    run = find(orchestrator, args.run)
    task = find_task(orchestrator, run.id, args.task)
    page, last = Page(), args.after
    entries = [entry for entry in await run.story(task) if entry.seq > args.after]
    for entry in entries:
        if not page.add(of_entry(entry)):
            return {"run": run.id, "events": page.items, "next": last}
        last = entry.seq
    return {"run": run.id, "events": page.items, "next": None}


async def cancel(orchestrator: Orchestrator, args: a.Cancel) -> Document:
    """Stop everything unfinished in a run, or one task of it."""
    run = find(orchestrator, args.run)
    if args.task is None:
        await run.cancel(args.why)
    else:
        task = find_task(orchestrator, run.id, args.task)
        await run.edit(EditBatch(_revision(orchestrator, run), (CancelTask(task),)), by=args.by)
    return _standing(orchestrator, run)


async def edit(orchestrator: Orchestrator, args: a.EditRun) -> Document:
    """Change the graph of a run: all of the edits, or none and the reasons."""
    run = find(orchestrator, args.run)
    await run.edit(args.batch.batch(_revision(orchestrator, run)), by=args.by)
    return _standing(orchestrator, run)


async def answer(orchestrator: Orchestrator, args: a.AnswerTask) -> Document:
    """Answer the question that a task asks, if it is still the one that was read."""
    run = find(orchestrator, args.run)
    task = find_task(orchestrator, run.id, args.task)
    await run.answer(task, args.value, question=args.question, by=args.by)
    return _standing(orchestrator, run)


async def settle(orchestrator: Orchestrator, args: a.Settle) -> Document:
    """Say what came of a task whose outcome was lost."""
    run = find(orchestrator, args.run)
    outcome: Outcome = Succeeded(args.value)
    if args.outcome == "failed":
        outcome = Failed(FailureKind.SKILL_ERROR, str(args.value or "settled as failed"))
    await run.settle(find_task(orchestrator, run.id, args.task), outcome, by=args.by)
    return _standing(orchestrator, run)


async def pause(orchestrator: Orchestrator, args: a.OfRun) -> Document:
    """Place no further task of a run; what runs goes on."""
    run = find(orchestrator, args.run)
    await run.pause()
    return _standing(orchestrator, run)


async def resume(orchestrator: Orchestrator, args: a.OfRun) -> Document:
    """Place the tasks of a paused run again."""
    run = find(orchestrator, args.run)
    await run.resume()
    return _standing(orchestrator, run)


SKILLS: Final[Mapping[str, CoordinatorSkill]] = {
    "submit": CoordinatorSkill(a.Submit, submit),
    "show": CoordinatorSkill(a.Show, show, Effect.PURE),
    "runs": CoordinatorSkill(a.Listing, runs, Effect.PURE),
    "devices": CoordinatorSkill(a.Listing, devices, Effect.PURE),
    "events": CoordinatorSkill(a.Events, events, Effect.PURE),
    "story": CoordinatorSkill(a.Story, story, Effect.PURE),
    "cancel": CoordinatorSkill(a.Cancel, cancel),
    "edit": CoordinatorSkill(a.EditRun, edit, Effect.ONCE),
    "answer": CoordinatorSkill(a.AnswerTask, answer, Effect.ONCE),
    "settle": CoordinatorSkill(a.Settle, settle, Effect.ONCE),
    "pause": CoordinatorSkill(a.OfRun, pause),
    "resume": CoordinatorSkill(a.OfRun, resume),
}


def find(orchestrator: Orchestrator, named: str) -> Run:
    """Return the run with this id, or with an id that begins so.

    Raises:
        RequestError: there is none, or several.
    """
    known = orchestrator.coordinator.engine.state.runs
    if RunId(named) in known:
        return orchestrator.run(RunId(named))
    found = [run for run in known if run.startswith(named)]
    if len(found) > 1:
        raise RequestError(f"{named!r} may be any of {', '.join(found[:4])}: write more of it")
    if not found:
        raise RequestError(f"there is no run {named!r}{nearest(named, known)}")
    return orchestrator.run(found[0])


def find_task(orchestrator: Orchestrator, run: RunId, named: TaskId) -> TaskId:
    """Return the id of a task that is there.

    Raises:
        RequestError: there is none of this id.
    """
    tasks = orchestrator.coordinator.engine.state.runs[run].tasks
    if named not in tasks:
        raise RequestError(f"run {run!r} has no task {named!r}{nearest(named, tasks)}")
    return named


def _revision(orchestrator: Orchestrator, run: Run) -> int:
    return orchestrator.coordinator.engine.state.runs[run.id].revision


def _standing(orchestrator: Orchestrator, run: Run) -> Document:
    seen = orchestrator.coordinator.engine.state.runs[run.id]
    return {
        "run": seen.id,
        "status": seen.status,
        "paused": seen.paused and seen.ended_at is None,
        "revision": seen.revision,
    }
