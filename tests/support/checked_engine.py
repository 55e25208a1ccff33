"""An engine that is told events, dies and starts again, and is held to its invariants.

Every event is decided by one engine and its facts are folded into a second one. After each step
the invariants are checked, and both states are compared but for what is volatile (I11).
"""

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.engine import Decision, Engine
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.lifecycle import FINAL
from orchestrator.core.model import Now
from orchestrator.core.rows import RowKey, freeze, touched
from orchestrator.core.saved import Saved
from orchestrator.core.scheduling.policies import DEFAULT, Policy
from orchestrator.core.tuning import Tuning
from protocol.types import AttemptId, Effect, RunId
from tests.support.digest import digest
from tests.support.warm import Pools


class CheckedEngine:
    """One coordinator: its engine, its journal and its saved rows."""

    def __init__(
        self,
        *,
        tuning: Tuning | None = None,
        policy: Policy = DEFAULT,
        checked: bool = True,
    ) -> None:
        """Without `checked` it only tells and listens: for large worlds."""
        self._checked = checked
        self.tuning = tuning or Tuning()
        self.policy = policy
        self.engine = self._new()
        self.fold = self._new()
        self.pools = Pools()
        self.at = 0.0
        self.wall = 1_000_000.0
        self.facts: list[f.Fact] = []
        self.orders: list[c.Command] = []
        self.offers: dict[AttemptId, c.Offer] = {}
        self._journal: list[f.Fact] = []
        self._rows: dict[RowKey, Saved] = {}
        self._once: dict[object, AttemptId] = {}
        self._epochs: dict[RunId, int] = {}

    def _new(self) -> Engine:
        return Engine(tuning=self.tuning, policy=self.policy)

    def tell(self, event: e.Event) -> Decision:
        """Let the engine decide, and hold it to its invariants."""
        before = self.engine.state.token
        final = self._final() if self._checked else {}
        try:
            decision = self.engine.decide(event, now=Now(self.wall + self.at, self.at))
        except (RequestError, UnknownRunError):
            self._compare()
            raise
        self.facts += decision.facts
        self.orders += decision.commands
        for order in decision.commands:
            self.pools.heard(order)
            self._rising(order, before)
            self._fenced(order)
        if self._checked:
            self._hold(decision)
            kept = self.engine.state.runs.keys()
            final = {key: end for key, end in final.items() if {key, *key} & kept}
            assert final.items() <= self._final().items(), "I6"
        return decision

    def retell(self, event: e.Event) -> None:
        """Tell something again, and see that it changes nothing (I12)."""
        before = digest(self.engine.state)
        again = self.tell(event)
        assert [fact for fact in again.facts if type(fact) not in f.VOLATILE] == [], "I12"
        assert digest(self.engine.state) == before, "I12"

    def restart(
        self, *, away_s: float = 0.0, elapsed: float | None = None, rows: bool = False
    ) -> Decision:
        """Die and start again from the journal or its saved rows; elapsed may start anew."""
        last = (self.wall + self.at, self.at) if self._journal else (None, None)
        self.wall += self.at + away_s
        self.at = self.at + away_s if elapsed is None else elapsed
        self.wall -= self.at
        self.engine = self._new()
        if rows:
            self.engine.restore(replace(row) for row in self._rows.values())
        else:
            for fact in self._journal:
                self.engine.apply(fact)
            self.engine.recovered()
        self._compare()
        return self.tell(e.Start(*last))

    # Holding

    def _hold(self, decision: Decision) -> None:
        dirty: dict[RowKey, None] = {}
        for fact in decision.facts:
            if type(fact) not in f.VOLATILE:
                self._journal.append(fact)
                self.fold.apply(fact)
                dirty |= dict.fromkeys(touched(fact, self.engine.state))
            self._placed_well(fact)
        self.fold.recovered()
        self._save(dirty)
        self.engine.check()
        self._compare()

    def _compare(self) -> None:
        for here, folded in zip(digest(self.engine.state), digest(self.fold.state), strict=True):
            assert here == folded, "I11"

    def _final(self) -> dict[object, str]:
        tasks = {
            (run.id, name, row.sequence): row.state
            for run in self.engine.state.runs.values()
            for name, row in run.tasks.items()
            if row.state in FINAL and row.parent is None
        }
        runs = {
            run.id: run.status
            for run in self.engine.state.runs.values()
            if run.ended_at is not None
        }
        return {**tasks, **runs}

    def _rising(self, order: c.Command, before: int) -> None:
        if isinstance(order, c.Offer):
            if order.attempt not in self.offers:
                assert order.token > before, "I9"
                self.offers[order.attempt] = order
            assert order.token == self.offers[order.attempt].token, "I9"
            assert order.epoch >= self._epochs.get(order.run, 0), "I9"
            self._epochs[order.run] = order.epoch

    def _fenced(self, order: c.Command) -> None:
        """Nothing is said of a run that another coordinator owns, attempt by attempt."""
        named = [getattr(order, "attempt", None), *getattr(order, "attempts", ())]
        told = {self.offers[name].run for name in named if name in self.offers}
        told |= {getattr(order, "run", None), *getattr(order, "epochs", ())}
        lost = {run.id for run in self.engine.state.runs.values() if run.superseded}
        assert not told & lost, f"{order} speaks for a run of another coordinator"

    def _save(self, dirty: Iterable[RowKey]) -> None:
        for key in dirty:
            row = freeze(self.engine.state, key)
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = replace(row)

    def _placed_well(self, fact: f.Fact) -> None:
        """I5, and I13: `once` is offered again only after a word that it never started."""
        match fact:
            case f.TaskPlaced(run, name, device=on):
                device = self.engine.state.devices[on]
                row = self.engine.state.runs[run].tasks[name]
                assert len(device.attempts) <= device.card.slots, "I5"
                for need in row.spec.needs.resources:
                    charged = device.warm.charged[need.kind]
                    assert charged <= device.card.capacity[need.kind] + 1e-9, "I5"
        match fact:
            case f.TaskPlaced(run, name, attempt, hedge=f.Hedge(beside)):
                assert fact.effect is not Effect.ONCE, "I4"
                row = self.engine.state.runs[run].tasks[name]
                assert (row.live, row.hedge) in {(beside, attempt), (None, None)}, "I4"
        match fact:
            case f.TaskPlaced(run, name, attempt, effect=Effect.ONCE):
                row = self.engine.state.runs[run].tasks.get(name)
                version = (run, name, row.revision if row else None)
                assert version not in self._once, "I13"
                self._once[version] = attempt
            case f.AttemptRejected(attempt=attempt):
                self._once = {k: v for k, v in self._once.items() if v != attempt}
