"""Tools, as servers that know them take them, and in plain words for those that do not: pure.

In words, the first message lists the tools and says how to ask for one; what they come to is
said by the user. Some servers know tools and yet hand on a call in words, in the tags that the
model was trained with; it is taken for what it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json, to_json

from protocol.chat.embedded import candidates
from protocol.chat.exchange import Call, Called, Message, Reply, Returned, ToolCall, plain
from protocol.types import Json

WORDS: Final = """

You have tools. To use some, answer with one JSON object and nothing else:
{{"tool_calls": [{{"name": "…", "arguments": {{…}}}}]}}
What they come to is the next message. When you are done, answer without "tool_calls".
The tools, each with the JSON Schema of its arguments:
{tools}"""
RESULT: Final = "Result of {name}:\n{text}"
_TAGGED: Final = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)


def native(call: Call) -> tuple[list[Json], Mapping[str, Json]]:
    """Return the messages, and the field with the tools."""
    messages: list[Json] = [_native(each) for each in call.messages]
    tools = [{"type": "function", "function": from_json(plain(each))} for each in call.tools]
    return messages, {"tools": tools} if tools else {}


def _native(message: Message) -> Mapping[str, Json]:
    said: Mapping[str, Json] = {"role": message.role, "content": message.text}
    match message:
        case Called(calls=calls):
            asked: list[Json] = [
                {
                    "id": each.id,
                    "type": "function",
                    "function": {"name": each.name, "arguments": _sayable(each.arguments)},
                }
                for each in calls
            ]
            return {**said, "tool_calls": asked}
        case Returned(call=call):
            return {**said, "tool_call_id": call.id}
        case _:
            return said


def _sayable(arguments: str) -> str:
    """Return arguments that servers can read again: templates of some fail at anything else."""
    return arguments if _object(arguments) else "{}"


def in_words(call: Call) -> list[Json]:
    """Return the messages with the tools in them; turns of one role are one message."""
    tools = "\n".join(map(plain, call.tools))
    told: list[tuple[str, list[str]]] = []
    for n, (role, text) in enumerate(map(_in_words, call.messages)):
        words = text if n else text + WORDS.format(tools=tools)
        if told and told[-1][0] == role:
            told[-1][1].append(words)
        else:
            told.append((role, [words]))
    return [{"role": role, "content": "\n\n".join(texts)} for role, texts in told]


def _in_words(message: Message) -> tuple[str, str]:
    match message:
        case Called(calls=calls):
            asked = [{"name": each.name, "arguments": _object(each.arguments)} for each in calls]
            return message.role, to_json({"tool_calls": asked}).decode()
        case Returned(call=call):
            return "user", RESULT.format(name=call.name, text=message.text)
        case _:
            return message.role, message.text


def heard(reply: Reply, *, words: bool) -> Reply:
    """Return the answer with the calls that are in its words.

    Args:
        reply: what the model said.
        words: whether it was told to ask in words.
    """
    if reply.calls:
        return reply
    said = reply.text
    found = [call for text in _TAGGED.findall(said) for call in _asked(text)]
    if found:
        said = _TAGGED.sub("", said).strip()
    elif words:
        found = next((calls for text in candidates(said) if (calls := [*_asked(text)])), [])
    named = tuple(ToolCall(f"call-{n}", *each) for n, each in enumerate(found))
    return Reply(said, reply.finish, reply.usage, named)


def _asked(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and arguments of each call in a JSON text."""
    value = _object(text)
    calls = value.get("tool_calls", [value])
    for each in calls if isinstance(calls, Sequence) else ():
        match each:
            case {"function": {"name": str() as name, **rest}} | {"name": str() as name, **rest}:
                if "arguments" in rest:
                    yield name, argument_text(rest["arguments"])
            case _:
                pass


def argument_text(arguments: object) -> str:
    """Return arguments as text: some servers send the object itself."""
    return arguments if isinstance(arguments, str) else to_json(arguments).decode()


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = from_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
