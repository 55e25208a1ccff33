"""Better plans for what has not started: problems go out, answers come back as events.

Nothing waits for an answer. If none comes, the plan that there is is kept.
"""

from orchestrator.core import events as e
from orchestrator.core.commands import ImprovePlan
from orchestrator.core.scheduling.improvement import Answer, ask, take
from orchestrator.core.step import Step


def hand_out(step: Step) -> None:
    """Have the plan improved, if that may pay: O(1) if not."""
    share = step.tuning.improve_cpu
    if share > 0.0 and step.state.board.plan.intended:
        problem = ask(step.state.board, step.at, share)
        if problem is not None:
            step.order(ImprovePlan(problem))


def plan_improved(step: Step, event: e.PlanImproved) -> None:
    """Go on with a better plan, if it is one by now."""
    board = step.state.board
    fact = take(board, event.number, Answer(event.order, event.device), step.at)
    if fact is not None:
        step.emit(fact)
        board.look_again()  # what waits may start elsewhere
