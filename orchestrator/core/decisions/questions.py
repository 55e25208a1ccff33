"""What attempts ask people.

The questions of an attempt are numbered, so that one that was answered is never asked again (I12).
A heartbeat names those that have been open for a while: what of it is news here was lost on its
way to us, and an answer that the device still waits for was lost on its way there. Devices without
numbers have none of this: whatever they ask while nothing is open is a new question.
"""

from collections.abc import Mapping

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.commands import AnswerAttempt, QueryAttempt
from orchestrator.core.decisions.attempts import note_start, own
from orchestrator.core.decisions.outcomes import stop_hedge
from orchestrator.core.errors import RequestError
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.state import Attempt, Task
from orchestrator.core.step import Step
from protocol.types import AttemptId, DeviceId

_ASKS = frozenset({TaskState.ACTIVE, TaskState.INPUT_REQUIRED})


def attempt_asked(step: Step, event: e.AttemptAsked) -> None:
    """Let a task wait for a person; of its attempt's questions the newest counts."""
    attempt = own(step, event.device, event.attempt)
    if attempt is None:
        return
    task = step.state.task(attempt)
    if task.hedge == attempt.id:
        stop_hedge(step, task, f"it asks a person: {event.question}")
    elif _is_new(task, attempt, event.number):
        stop_hedge(step, task, "the attempt beside it asks a person")
        note_start(step, attempt)  # nobody asks before
        due = step.at + task.spec.limits.input_s
        step.emit(
            f.InputRequested(
                attempt.run, attempt.task, attempt.id, event.question, due, event.number
            ),
        )


def answer_input(step: Step, event: e.AnswerInput) -> None:
    """Hand a person's answer to the attempt that asked for it."""
    run = step.run(event.run)
    task = run.tasks.get(event.task)
    if task is None or task.state is not TaskState.INPUT_REQUIRED or task.live is None:
        raise RequestError(f"task {event.task!r} of run {run.id!r} does not ask for input")
    attempt = step.state.attempts[task.live]
    due = step.at + task.spec.limits.run_s
    step.emit(
        f.InputAnswered(run.id, task.spec.id, attempt.id, event.value, event.by, due),
    )
    _answer(step, attempt)


def still_open(step: Step, device: DeviceId, asking: Mapping[AttemptId, int]) -> None:
    """Ask for the questions that a heartbeat names and nobody heard; repeat lost answers."""
    for name, number in asking.items():
        attempt = own(step, device, name)
        if attempt is None or step.state.task(attempt).state not in _ASKS:
            continue
        if number > attempt.asked:
            step.order(QueryAttempt(device, name))
        elif number == attempt.asked and _unheard(step, attempt):
            _answer(step, attempt)


def _is_new(task: Task, attempt: Attempt, number: int) -> bool:
    if number:
        return number > attempt.asked and task.state in _ASKS
    return task.state is TaskState.ACTIVE


def _unheard(step: Step, attempt: Attempt) -> bool:
    """Tell whether a question was answered so long ago that the device should know."""
    pause_s = step.tuning.repeat_offer_s
    return attempt.answered_at is not None and step.at - attempt.answered_at >= pause_s


def _answer(step: Step, attempt: Attempt) -> None:
    epoch = step.state.runs[attempt.run].epoch
    step.order(
        AnswerAttempt(
            attempt.device, attempt.id, attempt.run, epoch, attempt.answer, attempt.asked
        )
    )
