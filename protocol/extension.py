"""Our A2A extension: what orchestration needs beyond core A2A, as wire shapes.

An offer carries `OfferTerms` and a report `ReportTerms` as metadata under `EXTENSION_URI`; a card
declares `CardTerms` as the extension's parameters. Six requests have methods of their own
(`Renew`, `Hello`, `Refuse`, `Drain`, `Release`, `Prefetch`) and one event (`Heartbeat`). A2A's own
fields keep their meaning: an agent or client that ignores all of this still converses with us.

Who announces the extension reads JSON-RPC batches of requests, up to 64; who asks with it reads
batches of responses (`codec.batches`). So what leaves together costs one message.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NotRequired, final

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from protocol.bounds import MAX_BANDWIDTH, MAX_COUNTER, MAX_SECONDS, check_pins, check_warm
from protocol.messages import PinGrant
from protocol.types import (
    AttemptId,
    Effect,
    FailureKind,
    Incarnation,
    RunId,
    TaskId,
    WarmResource,
)

EXTENSION_URI: Final = "urn:muster:a2a:execution:1"

RENEW: Final = "muster/renew"
HELLO: Final = "muster/hello"
REFUSE: Final = "muster/refuse"
DRAIN: Final = "muster/drain"
RELEASE: Final = "muster/release"
PREFETCH: Final = "muster/prefetch"
HEARTBEAT: Final = "muster/heartbeat"

Counter = Annotated[int, Field(ge=0, le=MAX_COUNTER)]
Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]
Share = Annotated[float, Field(ge=0, le=1)]
Pins = Annotated[tuple[PinGrant, ...], AfterValidator(check_pins)]
Warm = Annotated[tuple[WarmResource, ...], AfterValidator(check_warm)]


@final
class OfferTerms(TypedDict):
    """On the message of an offer; attempt and run are A2A's `taskId` and `contextId`."""

    task: TaskId
    number: Counter
    epoch: Counter
    token: Counter
    ttl_s: Seconds
    effect: Effect
    limit_s: NotRequired[Seconds]
    pins: NotRequired[Pins]
    acks: NotRequired[tuple[AttemptId, ...]]
    incarnation: NotRequired[Incarnation]


@final
class AnswerTerms(TypedDict):
    """On the message that answers an attempt's question; the answer is its data part."""

    answers: Counter
    """The run's epoch."""
    question: NotRequired[Counter]
    """Which question of the attempt it answers, from 1; left out: the one that is open."""


class CancelTerms(TypedDict):
    """On `CancelTask`."""

    run: RunId
    epoch: Counter


class ReportTerms(TypedDict, total=False):
    """On a task or a status update; how far the attempt has come is A2A's state."""

    incarnation: Incarnation
    run_s: Seconds
    progress: Share
    kind: FailureKind
    retry_after_s: Seconds
    unknown: bool
    """The attempt may or may not have taken effect (state FAILED)."""
    warm: Warm
    """Of what the offer pins; on a finished report."""
    fetched_bytes: Counter
    fetch_s: Seconds
    """What it fetched from other devices, and how long that took."""
    question: Counter
    """Which question of the attempt this is, from 1 (state INPUT_REQUIRED)."""


class SkillTerms(TypedDict, total=False):
    """What A2A's skill does not say."""

    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object]
    effect: Effect
    estimate_s: Seconds


class CardTerms(TypedDict, total=False):
    """The extension's parameters in the card."""

    labels: dict[str, str]
    slots: Counter
    capacity: dict[str, Seconds]
    speed: Annotated[float, Field(ge=1e-3, le=1e3)]
    bandwidth: Annotated[float, Field(ge=1, le=MAX_BANDWIDTH)]
    prefetches: bool
    skills: dict[str, SkillTerms]


# One type for each place where A2A has metadata; other extensions' keys are ignored.
MessageMetadata = TypedDict(
    "MessageMetadata",
    {
        "urn:muster:a2a:execution:1": Annotated[
            OfferTerms | AnswerTerms, Field(union_mode="left_to_right")
        ]
    },
    total=False,
)
CancelMetadata = TypedDict(
    "CancelMetadata", {"urn:muster:a2a:execution:1": CancelTerms}, total=False
)
ReportMetadata = TypedDict(
    "ReportMetadata", {"urn:muster:a2a:execution:1": ReportTerms}, total=False
)
