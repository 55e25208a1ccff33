"""Reports and other replies as JSON-RPC responses, and back.

| report | on a stream | state |
| --- | --- | --- |
| ACCEPTED | task | SUBMITTED |
| STARTED, with progress | status update | WORKING |
| INPUT_REQUIRED | status update | INPUT_REQUIRED (read also: AUTH_REQUIRED) |
| FINISHED: Succeeded | task with one artifact of one part: text or data | COMPLETED |
| FINISHED: Failed, Unknown | task | FAILED |
| FINISHED: Rejected | task | REJECTED |
| FINISHED: Cancelled | task | CANCELED |

Each is one message. Reasons, questions and notes are the text of the status; what A2A has no place
for is metadata. `SendMessage` is answered by the same task, `GetTask` and `CancelTask` by the task
without its wrapper.
"""

from typing import Annotated, Final, assert_never

from pydantic import AfterValidator, TypeAdapter
from typing_extensions import TypedDict

from protocol import a2a
from protocol.a2a import TaskState
from protocol.bounds import check_load, check_warm, ours
from protocol.codec.content import content, text
from protocol.codec.jsonrpc import RequestError, RequestId, dump, load
from protocol.codec.orders import Form
from protocol.codec.outputs import PartialOutputs
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.extension import EXTENSION_URI, ReportTerms
from protocol.messages import Held, Phase, Refused, Reply, Report
from protocol.transport import Message
from protocol.types import (
    AttemptId,
    Cancelled,
    Failed,
    FailureKind,
    Outcome,
    Rejected,
    RunId,
    Succeeded,
    Unknown,
)

_STATES: Final = {
    Phase.ACCEPTED: TaskState.SUBMITTED,
    Phase.STARTED: TaskState.WORKING,
    Phase.INPUT_REQUIRED: TaskState.INPUT_REQUIRED,
}
_PHASES: Final = {state: phase for phase, state in _STATES.items()} | {
    TaskState.AUTH_REQUIRED: Phase.INPUT_REQUIRED
}
_SILENCE: Final[a2a.Message] = {"parts": []}


class _Error(TypedDict, total=False):
    code: int
    message: str
    data: object


class _Result(a2a.StreamResponse, a2a.TaskView, total=False):
    """A stream's item; or a task without wrapper; or what the agent holds."""

    held: Annotated[Held, AfterValidator(check_load)]


class _Response(TypedDict, total=False):
    id: RequestId | None
    result: _Result | None
    error: _Error | None


_RESPONSE: Final = TypeAdapter(_Response)


def encode_reply(
    reply: Reply,
    *,
    to: str,
    correlation: bytes | None,
    request_id: RequestId | None,
    form: Form = Form.STREAM,
) -> Message:
    """Write a reply as one message.

    Args:
        reply: what to say.
        to: the request's response topic.
        correlation: the request's, unchanged.
        request_id: the request's id, unchanged.
        form: the request's.

    Raises:
        LocalProtocolError: JSON cannot say the reply, or it is too large, or a finished report
            has no outcome, or what it says is warm is too much or out of range.
    """
    body: dict[str, object] = {"jsonrpc": "2.0", "id": request_id}
    match reply:
        case Report():
            body["result"] = _result(reply, form)
        case Held():
            body["result"] = {"held": ours(check_load, reply)}
        case Refused():
            error: _Error = {"code": reply.code, "message": reply.detail}
            data: dict[str, object] = {"a2a_error": reply.name} if reply.name else {}
            if reply.epoch is not None:
                data["epoch"] = reply.epoch
            if data:
                error["data"] = data
            body["error"] = error
        case _:
            assert_never(reply)
    return Message(to, dump(body), correlation=correlation)


def encode_refusal(error: RequestError, message: Message) -> Message | None:
    """Write the answer to a request that made no sense; None where it does not say whereto."""
    if not message.response_topic:
        return None
    return encode_reply(
        error.refused,
        to=message.response_topic,
        correlation=message.correlation,
        request_id=error.request_id,
    )


def decode_reply(message: Message, outputs: PartialOutputs) -> Reply:
    """Read a reply of our agents or of any other A2A agent.

    Args:
        message: what came on a reply topic.
        outputs: keeps what a foreign agent streams before it says COMPLETED; one for all.

    Raises:
        RemoteProtocolError: the bytes are not a reply.
    """
    body = load(_RESPONSE, message.payload)
    request_id = body.get("id")
    named = AttemptId("" if request_id is None else str(request_id))
    if error := body.get("error"):
        return _refused(named, error)
    result = body.get("result") or {}
    if "held" in result:
        return result["held"]
    if "message" in result:
        said = result["message"]
        output = Succeeded(content(said["parts"]))
        return Report(_attempt(said.get("taskId") or named), Phase.FINISHED, outcome=output)
    if "artifactUpdate" in result:
        artifact = result["artifactUpdate"]
        attempt = _attempt(artifact.get("taskId") or named)
        outputs.add(attempt, artifact, payload_bytes=len(message.payload))
        return Report(attempt, Phase.STARTED, _run(artifact.get("contextId")))
    return _report(result.get("task") or result.get("statusUpdate") or result, named, outputs)


def _result(report: Report, form: Form) -> object:
    terms = _terms(report)
    state, words = _state(report)
    status: a2a.TaskStatus = {"state": state}
    if words:
        status["message"] = {
            "messageId": f"{report.attempt}.{report.phase}",
            "role": "ROLE_AGENT",
            "parts": [{"text": words}],
        }
    item: a2a.TaskView = {"status": status}
    if report.run is not None:
        item["contextId"] = report.run
    if terms:
        item["metadata"] = {EXTENSION_URI: terms}
    if form is Form.STREAM and report.phase in (Phase.STARTED, Phase.INPUT_REQUIRED):
        item["taskId"] = report.attempt
        return {"statusUpdate": item}
    item["id"] = report.attempt
    if isinstance(report.outcome, Succeeded):
        output = report.outcome.output
        part: a2a.Part = {"text": output} if isinstance(output, str) else {"data": output}
        item["artifacts"] = [{"artifactId": "output", "parts": [part]}]
    return item if form is Form.TASK else {"task": item}


def _terms(report: Report) -> ReportTerms:
    terms: ReportTerms = {}
    if report.incarnation is not None:
        terms["incarnation"] = report.incarnation
    if report.run_s is not None:
        terms["run_s"] = report.run_s
    if report.progress is not None:
        terms["progress"] = report.progress
    if isinstance(report.outcome, Failed):
        terms["kind"] = report.outcome.kind
        if report.outcome.retry_after_s is not None:
            terms["retry_after_s"] = report.outcome.retry_after_s
    if isinstance(report.outcome, Unknown):
        terms["unknown"] = True
    if report.warm:
        terms["warm"] = ours(check_warm, report.warm)
    if report.fetched_bytes:
        terms["fetched_bytes"], terms["fetch_s"] = report.fetched_bytes, report.fetch_s
    if report.question:
        terms["question"] = report.question
    return terms


def _state(report: Report) -> tuple[TaskState, str]:
    """Return the A2A state of a report, and its words for people."""
    if report.phase is not Phase.FINISHED:
        return _STATES[report.phase], report.note
    match report.outcome:
        case Succeeded():
            return TaskState.COMPLETED, report.note
        case Failed(detail=words) | Unknown(detail=words):
            return TaskState.FAILED, words
        case Rejected(reason=words):
            return TaskState.REJECTED, words
        case Cancelled(detail=words):
            return TaskState.CANCELED, words
        case None:
            raise LocalProtocolError(f"attempt {report.attempt} is finished without an outcome")
        case _:
            assert_never(report.outcome)


def _report(item: a2a.TaskView, named: str, outputs: PartialOutputs) -> Report:
    status = item.get("status")
    if status is None:
        raise RemoteProtocolError("a reply with neither an error nor a result of a known kind")
    attempt = _attempt(item.get("id") or item.get("taskId") or named)
    state, words = status["state"], text(status.get("message", _SILENCE)["parts"])
    terms = item.get("metadata", {}).get(EXTENSION_URI, {})
    phase = _PHASES.get(state, Phase.FINISHED)
    outcome: Outcome | None = None
    if phase is Phase.FINISHED:
        parts = [part for artifact in item.get("artifacts", ()) for part in artifact["parts"]]
        streamed = outputs.take(attempt)
        outcome = _outcome(state, words, parts or streamed, terms)
    return Report(
        attempt,
        phase,
        _run(item.get("contextId")),
        terms.get("incarnation"),
        outcome,
        terms.get("run_s"),
        terms.get("progress"),
        words if outcome is None or state is TaskState.COMPLETED else "",
        terms.get("warm", ()),
        terms.get("fetched_bytes", 0),
        terms.get("fetch_s", 0.0),
        terms.get("question", 0),
    )


def _outcome(
    state: TaskState, words: str, parts: list[a2a.Part] | None, terms: ReportTerms
) -> Outcome:
    match state:
        case TaskState.COMPLETED:
            if parts is None:
                return Failed(FailureKind.BAD_OUTPUT, "the streamed output was too much to keep")
            return Succeeded(content(parts) if parts else None)
        case TaskState.REJECTED:
            return Rejected(words)
        case TaskState.CANCELED:
            return Cancelled(words)
        case _ if terms.get("unknown"):
            return Unknown(words)
        case _:
            kind = terms.get("kind", FailureKind.SKILL_ERROR)
            return Failed(kind, words, terms.get("retry_after_s"))


def _run(context: str | None) -> RunId | None:
    return RunId(context) if context else None


def _attempt(named: str) -> AttemptId:
    if not named:
        raise RemoteProtocolError("a report that does not name its task")
    return AttemptId(named)


def _refused(request_id: str, error: _Error) -> Refused:
    data = error.get("data")
    known = data if isinstance(data, dict) else {}
    name, epoch = known.get("a2a_error"), known.get("epoch")
    return Refused(
        request_id,
        error.get("code", 0),
        name if isinstance(name, str) else "",
        error.get("message", ""),
        int(epoch) if isinstance(epoch, int | float) and 0 <= epoch < 2**63 else None,
    )
