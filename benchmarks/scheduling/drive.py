"""Our engine on an instance, on virtual time: the same problem and luck as the static schedules.

The engine is driven as its shell would: devices announce themselves, offers reach them, reports
come back, all at once, since messages take no time here. What takes time is data: it is sent when
the offer says where to, so an offered task waits on its device, in its slot, until its inputs are
there. Devices prefetch: data is sent as soon as it is made to where the engine's plan means it to
go, as static schedules do (the product orders this for results of 64 KiB and more; here all are
taken to be so large). Not `ahead` they do not. The engine knows works as declared estimates,
speeds, sizes and links, and from `HISTORY` earlier runs how fast devices are at each skill. A
device that is lost unregisters: that it is found out by silence is measured elsewhere. A second
copy of a task meets luck of its own (`noise`), as if what slowed the first were its device.

Better plans are searched for meanwhile as the product does, `IMPROVE_CPU` seconds of a core for
each second of the run, here in the same process; an answer comes as late as the search takes.

Release and due times of tasks, and windows of devices, are not known to the engine nor kept here.
Only decisions after the submission count as decisions: the graph is built once, before.
"""

import heapq
import itertools
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from benchmarks.scheduling.model import Execution, Problem, Trace
from benchmarks.scheduling.noise import Loss, Noise
from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.engine import Engine
from orchestrator.core.estimates import MEMORY, PRIOR_WEIGHT, Mean
from orchestrator.core.facts import RunStatus
from orchestrator.core.model import Dependency, Limits, Now, RunLimits, TaskSpec
from orchestrator.core.scheduling import improvement
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.tuning import Tuning
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Load,
    RunId,
    SkillInfo,
    Succeeded,
    TaskId,
)

IMPROVE_CPU: Final = 0.005
HISTORY: Final = MEMORY  # runs of each skill on each device that were seen before
NEVER: Final = 1e15  # instances count in any unit: no time limit may be met
INSTANT: Final = 1e-9  # what a task that takes no time declares: an estimate is positive
_RUN: Final = RunId("run")
_LIFE: Final = Incarnation("1")
_LIMITS: Final = Limits(queue_s=NEVER, start_s=NEVER, run_s=NEVER, unknown_s=NEVER)
_TUNING: Final = Tuning(
    lost_after_s=NEVER,
    lease_s=NEVER,
    repeat_offer_s=NEVER,
    repeat_cancel_s=NEVER,
    cancel_s=NEVER,
    unmatched_s=NEVER,
    hedge_margin_s=0.0,  # messages take no time here, and who knows what unit 0.2 would be in
)


@dataclass(slots=True)
class Driven:
    """What an engine did, and the CPU time of each decision, in milliseconds."""

    trace: Trace
    decisions_ms: "array[float]"
    """Those of the submission and of `asking_ms` left out."""
    plan_ms: float = 0.0
    """That of the submission."""
    improve_ms: float = 0.0
    """That of the decisions, the submission among them, that made a plan anew, with its search."""
    search_ms: float = 0.0
    """That of searches beside the run."""
    asking_ms: float = 0.0
    """That of decisions that ask for a search, or take its answer."""


def drive(
    problem: Problem,
    policy: Policy,
    noise: Noise,
    *,
    ahead: bool = True,
    hedges: bool = True,
    improves: bool = True,
) -> Driven:
    """Have an engine carry out an instance.

    Args:
        problem: the instance, on a fleet.
        policy: who decides where tasks go.
        noise: what comes.
        ahead: devices prefetch inputs.
        hedges: stragglers get a second copy, as the engine does by itself.
        improves: better plans are searched for meanwhile.
    """
    tuning = replace(
        _TUNING,
        hedge_budget=_TUNING.hedge_budget if hedges else 0.0,
        improve_cpu=IMPROVE_CPU if improves else 0.0,
    )
    world = _World(problem, Engine(tuning=tuning, policy=policy), noise, ahead=ahead)
    world.run()
    return Driven(
        tuple(world.trace),
        world.decisions_ms,
        world.plan_ms,
        world.improve_ms,
        world.search_ms,
        world.asking_ms,
    )


_Happening: TypeAlias = tuple[AttemptId, Execution | None] | Loss | e.PlanImproved
"""An attempt that has its inputs (None) or whose execution is over; a device's loss; an answer."""


class _World:
    """The devices around an engine."""

    def __init__(self, problem: Problem, engine: Engine, noise: Noise, *, ahead: bool) -> None:
        self.trace: list[Execution] = []
        self.decisions_ms = array("d")
        self.plan_ms = self.improve_ms = self.search_ms = self.asking_ms = 0.0
        self._problem = problem
        self._noise = noise
        self._engine = engine
        self._plan_kept = self._engine.state.board.plan
        self._prefetches = ahead
        self._version = 0
        self._there: dict[tuple[int, int, int], float] = {}
        """By source, task and device: when what the task reads is there, if it was sent."""
        self._agenda: list[tuple[float, int, _Happening]] = []
        self._count = itertools.count()
        self._held: dict[AttemptId, c.Offer] = {}
        self._started: dict[AttemptId, float] = {}
        self._done: dict[int, Execution] = {}

    def run(self) -> None:
        """Submit the instance and go on until it is done."""
        self._join()
        del self.decisions_ms[:]
        self._submit()
        if self._noise.loss is not None:
            self._plan(self._noise.loss.at, self._noise.loss)
        run = self._engine.state.runs[_RUN]
        while run.status is RunStatus.RUNNING:
            due = self._engine.next_deadline()
            if self._agenda and (due is None or self._agenda[0][0] <= due):
                at, _, happening = heapq.heappop(self._agenda)
                self._let(happening, at)
            else:
                assert due is not None
                self._decide(e.TimePassed(), due)
        assert run.status is RunStatus.SUCCEEDED, run.reason

    def _join(self) -> None:
        every = self._problem.instance.skills
        for number, device in enumerate(self._problem.fleet.devices):
            known = every if device.skills is None else sorted(device.skills)
            skills = tuple(SkillInfo(name, effect=Effect.PURE) for name in known)
            name = DeviceId(f"{number}")
            card = DeviceCard(
                name,
                skills=skills,
                slots=device.slots,
                speed=device.speed,
                prefetches=self._prefetches,
            )
            self._decide(e.Announced(card, online=True), 0.0)
            self._decide(e.Beat(name, _LIFE, Load(), (), connected=True), 0.0)
            links = self._problem.fleet.bandwidth[number]
            self._engine.state.estimates.links.declare(
                name, {DeviceId(f"{n}"): rate for n, rate in enumerate(links) if n != number}
            )

        for skill in every:
            self._engine.state.estimates.load(skill, Mean(1.0, HISTORY), self._history(skill))

    def _history(self, skill: str) -> list[tuple[DeviceId, float, float]]:
        """Return the ratios that, shrunk as they are, say how fast devices are at a skill."""
        return [
            (
                DeviceId(f"{number}"),
                ((HISTORY + PRIOR_WEIGHT) * device.speed / device.pace(skill) - PRIOR_WEIGHT)
                / HISTORY,
                HISTORY,
            )
            for number, device in enumerate(self._problem.fleet.devices)
            if skill in device.paces
        ]

    def _submit(self) -> None:
        limits = RunLimits(plan_s=NEVER, revisions=0)
        self._decide(e.Submit(_RUN, "key", "", limits=limits, plan=_batch(self._problem)), 0.0)

    def _let(self, happening: _Happening, at: float) -> None:
        if isinstance(happening, Loss):
            self._lose(happening)
            return
        if isinstance(happening, e.PlanImproved):
            self._decide(happening, at)
            return
        name, execution = happening
        if name not in self._held:
            return  # it was stopped meanwhile, or went with its device
        offer = self._held[name]
        if execution is None:
            self._start(offer, at)
            return
        del self._held[name], self._started[name]
        self._done[execution.task] = execution
        self.trace.append(execution)
        self._send_ahead((task for task, _ in self._problem.successors[execution.task]), at)
        run_s = execution.finish - execution.start
        self._decide(e.AttemptFinished(offer.device, name, Succeeded(), run_s), at)

    def _take(self, offer: c.Offer, at: float) -> None:
        """Send for the inputs of a task that is offered, as far as they are not on their way."""
        self._held[offer.attempt] = offer
        come = self._send(int(offer.task), int(offer.device), at)
        self._plan(max(at, come), (offer.attempt, None))

    def _send(self, task: int, device: int, at: float) -> float:
        """Send those inputs of a task that are made and unsent; return when the last comes."""
        come = at
        for source, size in self._problem.predecessors[task]:
            made = self._done.get(source)
            if made is not None:
                takes = self._problem.fleet.transfer(size, made.device, device)
                key = (source, task, device)
                come = max(come, self._there.setdefault(key, at + takes))
        return come

    def _send_ahead(self, tasks: Iterable[int], at: float) -> None:
        """Send what is made to where the plan means it to be used."""
        if self._plan_kept.ahead:
            for task in tasks:
                device = self._plan_kept.intended.get((_RUN, TaskId(f"{task}")))
                if device is not None:
                    self._send(task, int(device), at)

    def _start(self, offer: c.Offer, at: float) -> None:
        self._started[offer.attempt] = at
        done = Execution(int(offer.task), int(offer.device), at, at, attempt=offer.number - 1)
        finish = at + self._noise.seconds(self._problem, done)
        self._plan(finish, (offer.attempt, replace(done, finish=finish)))
        self._decide(e.AttemptReported(offer.device, offer.attempt, started=True), at)

    def _stop(self, name: AttemptId, at: float) -> bool:
        """End an attempt before it is done, if it is there."""
        offer, began = self._held.pop(name, None), self._started.pop(name, None)
        if offer is not None and began is not None:
            task, device, attempt = int(offer.task), int(offer.device), offer.number - 1
            stopped = Execution(task, device, began, at, done=False, attempt=attempt)
            self.trace.append(stopped)
        return offer is not None

    def _lose(self, loss: Loss) -> None:
        device = DeviceId(f"{loss.device}")
        for name in [name for name, offer in self._held.items() if offer.device == device]:
            self._stop(name, loss.at)
        self._decide(e.Unregistered(device), loss.at)

    def _decide(self, event: e.Event, at: float) -> None:
        basis, began = self._plan_kept.basis, time.thread_time_ns()
        commands = self._engine.decide(event, now=Now(at, at)).commands
        took_ms = (time.thread_time_ns() - began) / 1e6
        planned_anew = self._plan_kept.basis is not basis
        if isinstance(event, e.Submit):
            self.plan_ms = took_ms
            self.improve_ms += took_ms if planned_anew else 0.0
        elif any(isinstance(each, e.PlanImproved | c.ImprovePlan) for each in (event, *commands)):
            self.asking_ms += took_ms
        else:
            self.decisions_ms.append(took_ms)
            self.improve_ms += took_ms if planned_anew else 0.0
        if self._version != self._plan_kept.version:
            self._version = self._plan_kept.version
            self._send_ahead([int(task) for _, task in self._plan_kept.intended], at)
        for command in commands:
            if isinstance(command, c.Offer):
                self._take(command, at)
            elif isinstance(command, c.CancelAttempt) and self._stop(command.attempt, at):
                cancelled = e.AttemptFinished(command.device, command.attempt, Cancelled(), None)
                self._decide(cancelled, at)
            elif isinstance(command, c.ImprovePlan):
                assert isinstance(command.problem, improvement.Problem)
                self._improve(command.problem, at)

    def _improve(self, problem: improvement.Problem, at: float) -> None:
        began = time.thread_time_ns()
        answer = improvement.solve(problem)
        self.search_ms += (time.thread_time_ns() - began) / 1e6
        self._plan(at + problem.takes_s, e.PlanImproved(problem.number, *map(tuple, answer)))

    def _plan(self, at: float, happening: _Happening) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), happening))


def _batch(problem: Problem) -> EditBatch:
    """Return the plan of an instance: a task's id is its place."""
    tasks = (
        AddTask(
            TaskSpec(
                TaskId(f"{number}"), task.skill, limits=_LIMITS, estimate_s=task.work or INSTANT
            )
        )
        for number, task in enumerate(problem.instance.tasks)
    )
    sizes: dict[tuple[int, int], float] = {}
    for edge in problem.instance.edges:  # several outputs of one task go side by side
        pair = edge.source, edge.target
        sizes[pair] = max(edge.size, sizes.get(pair, 0.0))
    edges = (
        AddDependency(Dependency(TaskId(f"{u}"), TaskId(f"{v}"), size_bytes=size))
        for (u, v), size in sizes.items()
    )
    return EditBatch(0, (*tasks, *edges))
