"""What may happen to an engine, in any order, true and false; afterwards every run ends (I10).

`World` checks the invariants after every step, folds the facts into a second engine (I11), and
watches final states (I6), tokens and epochs (I9) and `once` effects (I13).
"""

from dataclasses import replace
from math import inf

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.lifecycle import NOT_STARTED
from orchestrator.core.model import (
    Dependency,
    RunLimits,
)
from orchestrator.core.tuning import Tuning
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Load,
    RunId,
    SkillInfo,
    TaskId,
)
from tests.properties.plans import (
    DEVICES,
    SKILLS,
    edits,
    first_plans,
    outcomes,
    specs,
    tasks,
    unbound,
)
from tests.support.world import World

RUNS = [RunId("r0"), RunId("r1")]
PLAIN = DEVICES[-1]  # an A2A agent without our extension
SETTINGS = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,  # what it found became named tests; a longer search is a matter of this line
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

runs = st.sampled_from(RUNS)
devices = st.sampled_from(DEVICES)


class EngineMachine(RuleBasedStateMachine):
    """Anybody may say anything at any time."""

    def __init__(self):
        super().__init__()
        self.world = World(tuning=Tuning(rejections=3, keep_s=inf, hedge_budget=9.0))
        self.lives = dict.fromkeys(DEVICES, 0)

    @property
    def state(self):
        return self.world.engine.state

    def any_attempt(self, data) -> c.Offer | None:
        """Mostly one that the engine still knows."""
        known = [self.world.offers[name] for name in self.state.attempts]
        return data.draw(st.sampled_from([*known * 5, *self.world.offers.values()]))

    def life(self, device):
        return Incarnation(str(self.lives[device]))

    @initialize(plan=first_plans(), slots=st.integers(1, 3), effect=st.sampled_from(Effect))
    def begin(self, plan, slots, effect):
        for device in DEVICES[:2]:
            self.join(device, slots, SKILLS, lab=True, effect=effect, memory=5.0, speed=1.0)
        self.submit(RUNS[0], plan, None, 2)

    # Requests

    @rule(run=runs, plan=st.one_of(st.none(), first_plans(), first_plans()),
          deadline_s=st.sampled_from([None, None, 50.0]), revisions=st.integers(0, 2))  # fmt: skip
    def submit(self, run, plan, deadline_s, revisions):
        limits = RunLimits(plan_s=15.0, revisions=revisions, deadline_s=deadline_s)
        try:
            self.world.tell(e.Submit(run, f"k-{run}", "do", limits=limits, plan=plan))
        except RequestError:
            return

    @precondition(lambda self: any(run.asks for run in self.state.runs.values()))
    @rule(data=st.data(), batch=st.one_of(st.none(), first_plans(), st.lists(edits, max_size=3)),
          stale=st.booleans())  # fmt: skip
    def plan(self, data, batch, stale):
        asks = [ask for run in self.state.runs.values() for ask in run.asks.values()]
        ask = data.draw(st.sampled_from(asks))
        if batch is None:
            event = e.PlanFailed(ask.run, ask.ask, "no idea")
        else:
            if isinstance(batch, list):
                base = self.state.runs[ask.run].revision - stale
                batch = EditBatch(max(0, base), tuple(batch))
            event = e.PlanProposed(ask.run, ask.ask, batch)
        self.world.tell(event)
        self.world.retell(event)

    @precondition(lambda self: self.open_runs())
    @rule(data=st.data(), parts=st.lists(edits, max_size=3))
    def edit_anything(self, data, parts):
        self.edit(data.draw(st.sampled_from(self.open_runs())), parts)

    @precondition(lambda self: self.open_runs())
    @rule(data=st.data(), spec=specs, count=st.integers(1, 2))
    def edit_what_can_be(self, data, spec, count):
        run = data.draw(st.sampled_from(self.open_runs()))
        names = [name for name, row in run.tasks.items() if row.state in NOT_STARTED]
        if not names:
            return
        parts = []
        for _ in range(count):
            name = data.draw(st.sampled_from(names))
            changes = [
                CancelTask(name),
                RemoveTask(name),
                ReplaceTask(replace(unbound(spec), id=name)),
                AddTask(replace(unbound(spec), id=TaskId(f"{name}[0]"))),
                SetArgs(name, {"n": 1}),
                *(AddDependency(Dependency(other, name)) for other in run.tasks),
                *(RemoveDependency(each.predecessor, name) for each in run.tasks[name].incoming),
            ]
            parts.append(data.draw(st.sampled_from(changes)))
        self.edit(run, parts)

    def edit(self, run, parts):
        before = self.world.engine.snapshot(run.id)
        self.world.tell(e.EditRequested(run.id, "p", EditBatch(run.revision, tuple(parts))))
        if run.revision == before.revision:
            assert repr(self.world.engine.snapshot(run.id)) == repr(before), "I7"

    def open_runs(self):
        return [run for run in self.state.runs.values() if run.ended_at is None]

    @rule(run=runs, kind=st.sampled_from([e.PauseRun, e.ResumeRun, e.ResumeRun, e.CancelRun]))
    def hold(self, run, kind):
        event = e.CancelRun(run, "enough") if kind is e.CancelRun else kind(run)
        try:
            self.world.tell(event)
            self.world.retell(event)
        except UnknownRunError:
            assert run not in self.state.runs
        except RequestError:
            assert self.state.runs[run].ended_at is not None

    @precondition(lambda self: self.state.runs)
    @rule(data=st.data(), name=tasks, outcome=outcomes, settle=st.booleans())
    def answer(self, data, name, outcome, settle):
        run = data.draw(st.sampled_from(list(self.state.runs)))
        event = (
            e.SettleUnknown(run, name, outcome, "p")
            if settle
            else e.AnswerInput(run, name, "yes", "p")
        )
        try:
            self.world.tell(event)
        except RequestError:
            return

    # Devices

    @rule(
        device=devices,
        slots=st.integers(1, 3),
        skills=st.sampled_from([SKILLS, SKILLS[:1]]),
        lab=st.booleans(),
        effect=st.sampled_from(Effect),
        memory=st.sampled_from([0.0, 2.0, 5.0]),
        speed=st.sampled_from([1.0, 4.0]),
    )
    def join(self, device, slots, skills, *, lab, effect, memory, speed):
        card = DeviceCard(
            device,
            labels={"site": "lab"} if lab else {},
            skills=tuple(SkillInfo(name, effect=effect) for name in skills),
            slots=slots,
            capacity={"memory": memory},
            speed=speed,
            extension=device != PLAIN,
        )
        self.world.tell(e.Announced(card, online=True))
        self.world.retell(e.Announced(card, online=True))
        if card.extension:
            self.beat(device, draining=False, connected=True)

    @rule(device=devices, how=st.sampled_from(["silent", "ledger", "offline", "unregistered"]))
    def trouble(self, device, how):
        self.world.alive.pop(device, None)
        row = self.state.devices.get(device)
        match how:
            case "ledger":
                self.lives[device] += 1
            case "offline" if row is not None:
                self.world.tell(e.Announced(row.card, online=False))
                self.world.retell(e.Announced(row.card, online=False))
            case "unregistered":
                self.world.tell(e.Unregistered(device))
                self.world.retell(e.Unregistered(device))

    @rule(device=devices, draining=st.sampled_from([False, False, True]), connected=st.booleans())
    def beat(self, device, draining, connected):
        if device in self.state.devices and device != PLAIN:
            self.world.beat(
                device, life=self.life(device), load=Load(draining=draining), connected=connected
            )

    @rule(device=devices, data=st.data())
    def reconcile(self, device, data):
        if device == PLAIN:
            return
        held = self.world.held(device)
        for name in list(held):
            if data.draw(st.booleans()):
                del held[name]
        self.world.hello(device, {**held, AttemptId("forged"): True}, life=self.life(device))

    # Attempts: several rules, so that they are not drowned

    @precondition(lambda self: self.world.offers)
    @rule(data=st.data(), started=st.booleans(), forged=st.sampled_from([False, False, True]))
    def report(self, data, started, forged):
        offer = self.any_attempt(data)
        device = DeviceId("forger") if forged else offer.device
        event = e.AttemptReported(device, offer.attempt, started)
        self.world.retell(event) if forged else self.world.tell(event)
        self.world.retell(event)

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), outcome=outcomes)
    def finish(self, data, outcome):
        offer = self.any_attempt(data)
        event = e.AttemptFinished(offer.device, offer.attempt, outcome, 1.0, offer.run)
        self.world.tell(event)
        self.world.retell(event)
        self.world.retell(e.AttemptFinished(DeviceId("forger"), offer.attempt, outcome, 1.0))

    @precondition(lambda self: self.state.doubts)
    @rule(data=st.data(), outcome=outcomes)
    def reconcile_effect(self, data, outcome):
        """A device is asked about an unknown outcome, and says."""
        name = data.draw(st.sampled_from(sorted(self.state.doubts)))
        offer = self.world.offers[name]
        self.world.retell(e.AttemptFinished(DeviceId("forger"), name, outcome, None, offer.run))
        event = e.AttemptFinished(offer.device, name, outcome, None, offer.run)
        self.world.tell(event)
        self.world.retell(event)

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), kind=st.sampled_from([e.AttemptMissing, e.AttemptUnstoppable]))
    def order_came_to_nothing(self, data, kind):
        offer = self.any_attempt(data)
        self.world.tell(kind(offer.device, offer.attempt))
        self.world.retell(kind(offer.device, offer.attempt))

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), ahead=st.sampled_from([-1, 0, 0, 0, 1]))
    def refused_as_stale(self, data, ahead):
        offer = self.any_attempt(data)
        run = self.state.runs[offer.run]
        ended = run.ended_at is not None
        event = e.Superseded(offer.device, offer.attempt, run.epoch + ahead)
        self.world.tell(event)
        self.world.retell(event)
        assert run.superseded <= (ahead > 0 or ended), "an echo of our own"

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), outcome=outcomes)
    def start_and_finish(self, data, outcome):
        offer = self.any_attempt(data)
        self.world.tell(e.AttemptReported(offer.device, offer.attempt, started=True))
        self.world.tell(e.AttemptFinished(offer.device, offer.attempt, outcome, 1.0))

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data())
    def overrun(self, data):
        """An attempt starts, and then time passes."""
        offer = self.any_attempt(data)
        self.world.tell(e.AttemptReported(offer.device, offer.attempt, started=True))
        self.next_deadline()

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data())
    def be_late(self, data):
        """An attempt starts, and takes so long that a hedge may run beside it."""
        offer = self.any_attempt(data)
        self.world.tell(e.AttemptReported(offer.device, offer.attempt, started=True))
        due = self.state.timers.get(("late", offer.attempt))
        if due is not None:
            self.world.wait(max(0.0, due - self.world.at))

    @precondition(lambda self: any(t.hedge for r in self.open_runs() for t in r.tasks.values()))
    @rule(data=st.data(), outcome=outcomes, first=st.booleans(), ask=st.booleans())
    def race(self, data, outcome, *, first, ask):
        """A hedge, or the attempt beside it, says something before anything else happens."""
        hedged = [t for run in self.open_runs() for t in run.tasks.values() if t.hedge]
        task = data.draw(st.sampled_from(hedged))
        offer = self.world.offers[task.live if first else task.hedge]
        if ask:
            event = e.AttemptAsked(offer.device, offer.attempt, "which?")
        else:
            event = e.AttemptFinished(offer.device, offer.attempt, outcome, 1.0, offer.run)
        self.world.tell(event)
        self.world.retell(event)

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), number=st.integers(0, 3))
    def ask(self, data, number):
        """An attempt asks, or what it asked before comes late (I12)."""
        offer = self.any_attempt(data)
        known = self.state.attempts.get(offer.attempt)
        event = e.AttemptAsked(offer.device, offer.attempt, "which?", number)
        asked = len(self.world.happened(f.InputRequested))
        late = known is not None and 0 < number <= known.asked
        self.world.tell(event)
        assert not late or len(self.world.happened(f.InputRequested)) == asked, "I12"
        self.world.retell(event)

    @precondition(lambda self: self.state.attempts)
    @rule(data=st.data(), number=st.integers(1, 3))
    def go_on_asking(self, data, number):
        """A heartbeat names a question, of now or before; only the answer to that is repeated."""
        offer = self.any_attempt(data)
        if offer.device == PLAIN:
            return
        life, held = self.life(offer.device), tuple(self.world.held(offer.device))
        asking = {offer.attempt: number}
        told = e.Beat(offer.device, life, Load(), held, connected=False, asking=asking)
        for order in self.world.tell(told).commands:
            if isinstance(order, c.AnswerAttempt):
                assert order.question == number, "I12"

    # Time

    @rule()
    def next_deadline(self):
        due = self.world.engine.next_deadline()
        if due is not None:
            self.world.at = max(self.world.at, due)
            self.world.tell(e.TimePassed())
            self.world.retell(e.TimePassed())

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 8.0, 30.0]))
    def wait(self, seconds):
        self.world.wait(seconds)

    @rule(away_s=st.sampled_from([0.0, 5.0, 100.0]), elapsed=st.sampled_from([None, 0.0]),
          rows=st.booleans())  # fmt: skip
    def restart(self, away_s, elapsed, rows):
        self.world.restart(away_s=away_s, elapsed=elapsed, rows=rows)
        self.world.tell(e.Connected())

    def teardown(self):
        for run in self.state.runs.values():
            if run.paused and run.ended_at is None:
                self.world.tell(e.ResumeRun(run.id))
        self.world.settle()
