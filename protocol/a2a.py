"""A2A 1.0 as far as we use it: shapes of its JSON, read by pydantic.

Typed dictionaries rather than models: the same definition types what we write by hand and
validates what we read, at half a model's price. Unknown fields are ignored. A field may be absent
where protobuf would leave out its default, whatever A2A calls required.
"""

from enum import StrEnum
from typing import Annotated, Literal, NotRequired, Required

from pydantic import Field
from typing_extensions import TypedDict

from protocol.extension import CancelMetadata, MessageMetadata, ReportMetadata

Id = Annotated[str, Field(max_length=256)]


class TaskState(StrEnum):
    """How far a task has come."""

    SUBMITTED = "TASK_STATE_SUBMITTED"
    WORKING = "TASK_STATE_WORKING"
    COMPLETED = "TASK_STATE_COMPLETED"
    FAILED = "TASK_STATE_FAILED"
    CANCELED = "TASK_STATE_CANCELED"
    INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
    REJECTED = "TASK_STATE_REJECTED"
    AUTH_REQUIRED = "TASK_STATE_AUTH_REQUIRED"


Role = Literal["ROLE_USER", "ROLE_AGENT"]


class Part(TypedDict, total=False):
    """A piece of content: exactly one of the first four."""

    text: str
    data: object
    raw: str
    url: str
    filename: str
    mediaType: str


class Message(TypedDict, total=False):
    """Something said by a user (a requester) or an agent."""

    messageId: Id
    contextId: Id
    taskId: Id
    role: Role
    parts: Required[list[Part]]
    extensions: list[str]
    metadata: MessageMetadata


class TaskStatus(TypedDict):
    """A task's state, and a word on it."""

    state: TaskState
    message: NotRequired[Message]


class Artifact(TypedDict, total=False):
    """Something a task produced."""

    artifactId: Id
    parts: Required[list[Part]]


class TaskView(TypedDict, total=False):
    """A task as it stands: a `Task` (with `id`) or a `TaskStatusUpdateEvent` (with `taskId`).

    One shape for both, because both are read alike.
    """

    id: Id
    taskId: Id
    contextId: Id
    status: TaskStatus
    artifacts: list[Artifact]
    metadata: ReportMetadata


class TaskArtifactUpdateEvent(TypedDict, total=False):
    """A stream's item: some output of the task."""

    taskId: Id
    contextId: Id
    artifact: Required[Artifact]
    append: bool


class StreamResponse(TypedDict, total=False):
    """What answers `SendStreamingMessage`, or (the first two) `SendMessage`: one of these."""

    task: TaskView
    message: Message
    statusUpdate: TaskView
    artifactUpdate: TaskArtifactUpdateEvent


class SendMessageRequest(TypedDict):
    """Parameters of `SendMessage` and `SendStreamingMessage`."""

    message: Message


class GetTaskRequest(TypedDict):
    """Parameters of `GetTask`."""

    id: Id


class CancelTaskRequest(TypedDict):
    """Parameters of `CancelTask`."""

    id: Id
    metadata: NotRequired[CancelMetadata]


class AgentInterface(TypedDict, total=False):
    """Where and how an agent is reached."""

    url: str
    protocolBinding: Required[str]
    protocolVersion: str


class AgentExtension(TypedDict, total=False):
    """An extension that an agent speaks."""

    uri: Required[str]
    description: str
    required: bool
    params: object


class AgentCapabilities(TypedDict, total=False):
    """What an agent can do beyond answering."""

    streaming: bool
    pushNotifications: bool
    extensions: list[AgentExtension]


class AgentSkill(TypedDict, total=False):
    """Something an agent can do, in words."""

    id: Required[Id]
    name: str
    description: str
    tags: list[str]


class AgentCard(TypedDict, total=False):
    """What an agent says of itself."""

    name: Required[str]
    description: str
    version: str
    supportedInterfaces: list[AgentInterface]
    capabilities: AgentCapabilities
    defaultInputModes: list[str]
    defaultOutputModes: list[str]
    skills: list[AgentSkill]
