"""What live attempts ask people. Pure, like `session`.

The questions of an attempt are numbered, from 1. Heartbeats name those that are open, from the
second one on: the first may overtake the question itself. So a coordinator that does not know a
question asks how its attempt stands, one that has answered it answers again, and nothing is said
more than once that was heard.

An answer is for the question whose number it has, while that is open. From a coordinator that
gives no numbers it is for whatever is open; then its correlation tells a repeat.
"""

from collections.abc import Mapping

from agents.actions import Action, Resume
from agents.alarms import Alarms
from agents.attempt import LiveAttempt
from agents.refusals import not_found
from agents.reports import Reports
from protocol.codec import Request
from protocol.messages import Answer, Phase
from protocol.types import AttemptId


class Questions:
    """The open questions of one session.

    Args:
        live: its attempts that are not over.
        reports: what is said of them.
        alarms: when there is something to say next.
    """

    def __init__(
        self,
        live: Mapping[AttemptId, LiveAttempt],
        reports: Reports,
        alarms: Alarms[AttemptId, LiveAttempt],
    ) -> None:
        self._live = live
        self._reports = reports
        self._alarms = alarms
        self._open: dict[AttemptId, int] = {}
        """As of the heartbeat before."""

    def beat(self) -> dict[AttemptId, int]:
        """Return the questions that a heartbeat names, with their numbers."""
        before = self._open
        self._open = {
            name: live.question
            for name, live in self._live.items()
            if live.phase is Phase.INPUT_REQUIRED
        }
        return {name: n for name, n in self._open.items() if before.get(name) == n}

    def ask(self, live: LiveAttempt, question: str) -> list[Action]:
        """Ask a person."""
        live.ask(question)
        return self._reports.standing(live, self._reports.follower(live))

    def answer(self, answer: Answer, by: Request, now: float, out: list[Action]) -> None:
        """Hand an answer to the skill that asked; what is stale or repeated changes nothing."""
        if not self._reports.speaks(answer.attempt, answer.run, answer.epoch, by, out):
            return
        live = self._live.get(answer.attempt)
        if live is None or not live.awaits(answer, by):
            if not self._reports.present(answer.attempt, by, out, follow=True):
                out.append(not_found(answer.attempt, by))
            return
        live.answered(by)
        out.append(Resume(answer.attempt, answer.value))
        live.say_soon(now)
        self._alarms.arm(live.offer.attempt, live)
