"""Cards and events: what an agent says to everybody, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import AfterValidator, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from protocol import a2a, topics
from protocol.bounds import check_load, ours
from protocol.codec.jsonrpc import complaint, dump, load
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.extension import EXTENSION_URI, HEARTBEAT, CardTerms, SkillTerms
from protocol.messages import Heartbeat
from protocol.topics import Address, Kind
from protocol.transport import Message
from protocol.types import DeviceCard, DeviceId, Effect, Json, SkillInfo

Status: TypeAlias = Literal["online", "offline"]
Source: TypeAlias = Literal["agent", "lwt", "broker"]

Schema: TypeAlias = Mapping[str, Json]

BINDING: Final = "MQTTv5+JSONRPCv2"
_MODES: Final = ["application/json", "text/plain"]
MAX_CARD_BYTES: Final = 256 * 1024  # a coordinator keeps the cards of thousands of devices


@dataclass(frozen=True, slots=True)
class Announcement:
    """A card as found on its topic. `status` is a hint: a request without answer is the proof."""

    address: Address
    card: DeviceCard | None
    """None: the agent has unregistered."""
    status: Status
    source: str
    """Who says so: `agent`, `lwt` or `broker`; empty when nobody does."""
    streaming: bool = True
    """Takes `SendStreamingMessage`."""


class _Event(TypedDict, total=False):
    method: str


class _HeartbeatEvent(TypedDict):
    params: Annotated[Heartbeat, AfterValidator(check_load)]


_CARD: Final = TypeAdapter(a2a.AgentCard)
_TERMS: Final = TypeAdapter(CardTerms)
_EVENT: Final = TypeAdapter(_Event)
_HEARTBEAT: Final = TypeAdapter(_HeartbeatEvent)


def encode_card(
    card: DeviceCard,
    *,
    address: Address,
    status: Status = "online",
    source: Source = "agent",
    url: str = "mqtt://localhost:1883",
) -> Message:
    """Write a retained card; with `offline` and `lwt` it is the last will.

    Args:
        card: what the device is; its `device` is the address's agent.
        address: the agent.
        status: what subscribers shall believe.
        source: who says so.
        url: the broker, as the agent's callers reach it.

    Raises:
        LocalProtocolError: the card is another device's, too large, or JSON cannot say it.
    """
    if card.device != address.agent:
        raise LocalProtocolError(f"the card of {card.device!r} does not belong to {address}")
    body: a2a.AgentCard = {
        "name": card.name or card.device,
        "description": f"Device {card.device}",
        "version": "1",
        "supportedInterfaces": [
            {"url": url, "protocolBinding": BINDING, "protocolVersion": "1.0"}
        ],
        "capabilities": {"streaming": True, "pushNotifications": False},
        "defaultInputModes": _MODES,
        "defaultOutputModes": _MODES,
        "skills": [
            {
                "id": skill.name,
                "name": skill.name,
                "description": skill.description,
                "tags": [skill.effect],
            }
            for skill in card.skills
        ],
    }
    if card.extension:
        body["capabilities"]["extensions"] = [
            {
                "uri": EXTENSION_URI,
                "description": "Attempts, leases, load and pins",
                "required": False,
                "params": _card_terms(card),
            }
        ]
    payload = dump(body)
    if len(payload) > MAX_CARD_BYTES:
        raise LocalProtocolError(
            f"the card of {card.device!r} has {len(payload)} bytes, and nobody takes more than"
            f" {MAX_CARD_BYTES}: offer fewer skills, or describe them shorter"
        )
    properties = (("a2a-status", status), ("a2a-status-source", source))
    return Message(topics.discovery(address), payload, retain=True, properties=properties)


def clear_card(address: Address) -> Message:
    """Return the message that unregisters an agent."""
    return Message(topics.discovery(address), b"", retain=True)


def decode_card(message: Message) -> Announcement:
    """Read what came on a discovery topic; a foreign agent's skills have effect ONCE.

    Raises:
        RemoteProtocolError: the bytes are not a card, or the topic is not for cards.
    """
    address = _sender(message, Kind.DISCOVERY)
    told = dict(message.properties)
    source = told.get("a2a-status-source", "")
    if not message.payload:
        return Announcement(address, None, "offline", source)
    if len(message.payload) > MAX_CARD_BYTES:
        raise RemoteProtocolError(
            f"a card of {len(message.payload)} bytes; at most {MAX_CARD_BYTES} are kept"
        )
    body = load(_CARD, message.payload)
    status: Status = "offline" if told.get("a2a-status") == "offline" else "online"
    capabilities = body.get("capabilities", {})
    return Announcement(
        address,
        _card(DeviceId(address.agent), body),
        status,
        source,
        capabilities.get("streaming", False),
    )


def encode_heartbeat(heartbeat: Heartbeat, address: Address) -> Message:
    """Write a heartbeat, at most once (QoS 0): the next one is better than a repeat.

    Raises:
        LocalProtocolError: the heartbeat is another device's, or JSON cannot say it, or what it
            says is warm is too much or out of range.
    """
    if heartbeat.device != address.agent:
        raise LocalProtocolError(f"a heartbeat of {heartbeat.device!r} cannot come from {address}")
    params = ours(check_load, heartbeat)
    body = {"jsonrpc": "2.0", "method": HEARTBEAT, "params": params}
    return Message(topics.event(address), dump(body), qos=0)


def decode_event(message: Message) -> Heartbeat | None:
    """Read what came on an event topic; None for an event that is not ours.

    Raises:
        RemoteProtocolError: the bytes are not an event, or one in another device's name.
    """
    address = _sender(message, Kind.EVENT)
    if load(_EVENT, message.payload).get("method") != HEARTBEAT:
        return None
    heartbeat = load(_HEARTBEAT, message.payload)["params"]
    if heartbeat.device != address.agent:
        raise RemoteProtocolError(f"{address} speaks in the name of {heartbeat.device!r}")
    return heartbeat


def _sender(message: Message, kind: Kind) -> Address:
    topic = topics.parse(message.topic)
    if topic is None or topic.kind is not kind:
        raise RemoteProtocolError(f"{message.topic!r} is not a topic for {kind}")
    return topic.address


def _card_terms(card: DeviceCard) -> CardTerms:
    terms: CardTerms = {
        "labels": dict(card.labels),
        "slots": card.slots,
        "capacity": dict(card.capacity),
        "speed": card.speed,
        "skills": {skill.name: _skill_terms(skill) for skill in card.skills},
    }
    if card.bandwidth is not None:
        terms["bandwidth"] = card.bandwidth
    if card.prefetches:
        terms["prefetches"] = True
    return terms


def _skill_terms(skill: SkillInfo) -> SkillTerms:
    terms: SkillTerms = {"effect": skill.effect}
    if skill.input_schema is not None:
        terms["input_schema"] = skill.input_schema
    if skill.output_schema is not None:
        terms["output_schema"] = skill.output_schema
    if skill.estimate_s is not None:
        terms["estimate_s"] = skill.estimate_s
    return terms


def _card(device: DeviceId, body: a2a.AgentCard) -> DeviceCard:
    terms = _declared(body)
    known = (terms or {}).get("skills", {})
    skills = tuple(_skill(skill, known.get(skill["id"], {})) for skill in body.get("skills", ()))
    if terms is None:
        return DeviceCard(device, body["name"], skills=skills, extension=False)
    return DeviceCard(
        device,
        body["name"],
        terms.get("labels", {}),
        skills,
        terms.get("slots", 1),
        terms.get("capacity", {}),
        terms.get("speed", 1.0),
        bandwidth=terms.get("bandwidth"),
        prefetches=terms.get("prefetches", False),
    )


def _declared(body: a2a.AgentCard) -> CardTerms | None:
    for extension in body.get("capabilities", {}).get("extensions", ()):
        if extension["uri"] == EXTENSION_URI:
            try:
                return _TERMS.validate_python(extension.get("params", {}))
            except ValidationError as error:
                raise RemoteProtocolError(
                    f"the extension's parameters: {complaint(error)}"
                ) from error
    return None


def _skill(skill: a2a.AgentSkill, terms: SkillTerms) -> SkillInfo:
    return SkillInfo(
        skill["id"],
        skill.get("description", ""),
        cast("Schema | None", terms.get("input_schema")),
        cast("Schema | None", terms.get("output_schema")),
        terms.get("effect", Effect.ONCE),
        terms.get("estimate_s"),
    )
