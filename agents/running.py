"""Skills at work: a task of the loop for each attempt. A part of the shell.

What the session orders is begun here, if the session still lets it begin; how it ended goes back
to the session, once it has really stopped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias

from agents.actions import Action, ReconcileSkill, StartSkill
from agents.artifacts import Artifacts
from agents.attempt import NOTHING, Fetched
from agents.calls import CANCELLED_ITSELF, NOT_LOOKED_UP, do, look_up
from agents.context import Context, PermanentError, unnamed
from agents.session import Session
from agents.skills import Skill, Skills
from agents.wording import TEXT_CHARACTERS, carried
from protocol.messages import Offer
from protocol.types import AttemptId, Json, Outcome

Call: TypeAlias = Callable[[Skill, Context, Mapping[str, Json]], Awaitable[Outcome]]


class Running:
    """The skills of one device at work.

    Args:
        skills: what it can do.
        session: lets attempts begin, and hears how far they are and how they ended.
        act: does what follows from that.
        now: the device's clock.
        artifacts: what to do with content too big for a message, if anything.
        handle: returns what an offer's skill calls by a kind and a key.
        rests: called whenever the last attempt has ended.
    """

    def __init__(
        self,
        skills: Skills,
        session: Session,
        *,
        act: Callable[[Iterable[Action]], None],
        now: Callable[[], float],
        artifacts: Artifacts | None,
        handle: Callable[[Offer, str, str | None], object],
        rests: Callable[[], None],
    ) -> None:
        self._skills = skills
        self._session = session
        self._act, self._now = act, now
        self._artifacts = artifacts
        self._handle = handle
        self._rests = rests
        self._tasks: dict[AttemptId, asyncio.Task[None]] = {}
        self._questions: dict[AttemptId, asyncio.Future[Json]] = {}
        self._idle = asyncio.Event()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._tasks)

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while self._tasks:
            self._idle.clear()
            await self._idle.wait()

    def close(self) -> None:
        """Start nothing more: the ledger knows of it."""
        self._closed = True

    def start(self, order: StartSkill | ReconcileSkill, group: asyncio.TaskGroup) -> None:
        """Run what was ordered, as a task of `group`, unless it is too late for that."""
        offer, attempt = order.offer, order.offer.attempt
        if self._closed:
            return
        if late := self._session.begins(attempt, self._now()):
            self._act(self._session.finished(attempt, late, self._now()))
            return
        self._act(())  # its clocks run: wake up for them
        is_start = isinstance(order, StartSkill)
        call, stopped = (do, CANCELLED_ITSELF) if is_start else (look_up, NOT_LOOKED_UP)
        task = group.create_task(self._run(offer, call), name=f"{offer.skill} {attempt}")
        self._tasks[attempt] = task
        task.add_done_callback(partial(self._done, attempt, stopped))

    def cancel(self, attempt: AttemptId) -> None:
        """Tell what runs for an attempt to stop."""
        if attempt in self._tasks:
            self._tasks[attempt].cancel()

    def resume(self, attempt: AttemptId, answer: Json) -> None:
        """Hand an answer to the skill that asked."""
        question = self._questions.pop(attempt, None)
        if question and not question.done():
            question.set_result(answer)

    async def _run(self, offer: Offer, call: Call) -> None:
        context = self._context(offer)
        self._ended(offer.attempt, await call(self._skills[offer.skill], context, offer.args))

    def _context(self, offer: Offer) -> Context:
        attempt = offer.attempt
        return Context(
            attempt=attempt,
            run=offer.run,
            task=offer.task,
            token=offer.token,
            epoch=offer.epoch,
            on_progress=partial(self._progress, attempt),
            on_ask=partial(self._ask, attempt),
            lease_live=partial(self._lease_live, attempt),
            artifacts=self._artifacts,
            on_resource=partial(self._handle, offer) if offer.pins else unnamed,
        )

    def _done(self, attempt: AttemptId, stopped: Outcome, task: asyncio.Task[None]) -> None:
        if self._tasks.get(attempt) is task:  # cancelled, perhaps before it began
            self._ended(attempt, stopped)

    def _ended(self, attempt: AttemptId, outcome: Outcome) -> None:
        del self._tasks[attempt]
        cost = self._artifacts.cost(attempt) if self._artifacts else None
        fetched = Fetched(cost.size_bytes, cost.fetch_s, cost.waited_s) if cost else NOTHING
        self._act(self._session.finished(attempt, outcome, self._now(), fetched))
        if not self._tasks:
            self._rests()
            self._idle.set()

    def _progress(self, attempt: AttemptId, share: float, note: str) -> None:
        if attempt in self._tasks:
            self._session.progress(attempt, share, carried(note), self._now())
            self._act(())

    async def _ask(self, attempt: AttemptId, question: str) -> Json:
        if attempt not in self._tasks or attempt in self._questions:
            raise PermanentError("a skill asks one question at a time, while it runs")
        if len(question) > TEXT_CHARACTERS:  # half a question is another one
            raise PermanentError(
                f"a question of {len(question)} characters, at most {TEXT_CHARACTERS} are asked"
            )
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._questions[attempt] = answer
        self._act(self._session.asked(attempt, carried(question)))
        try:
            return await answer
        finally:
            self._questions.pop(attempt, None)

    def _lease_live(self, attempt: AttemptId) -> bool:
        return attempt in self._tasks and self._session.lease_live(attempt, self._now())
