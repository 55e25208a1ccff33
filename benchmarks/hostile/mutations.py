"""Seeded mutations of a payload: of its bytes, and of its JSON where it is some.

`mutated` draws one to three of them. The tables are what is tried; add a row to try more.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final, TypeAlias

Chance: TypeAlias = random.Random
Mutation: TypeAlias = Callable[[bytes, Chance], bytes]

DEEP: Final = 400  # deeper than readers go
WEIRD: Final[tuple[str, ...]] = (
    "null", "true", "-1", "0", "1e999", "NaN", "-Infinity", "1" * 400, "0.1e-400", "9" * 19,
    '""', '"\\ud800"', '"\\u0000"', f'"{"x" * 5_000}"', "[]", "{}", f"{'[' * DEEP}{']' * DEEP}",
    '{"":{"":{}}}', '"../../etc/passwd"', '"a/b#+"', "[[]]", '"2.0"', "18446744073709551616",
)  # fmt: skip
"""JSON texts, some of which only lenient readers take, in the place of any value."""


def _cut(payload: bytes, chance: Chance) -> bytes:
    begin, end = _span(payload, chance)
    return payload[:begin] + payload[end:]


def _double(payload: bytes, chance: Chance) -> bytes:
    begin, end = _span(payload, chance)
    return payload[:end] + payload[begin:]


def _flip(payload: bytes, chance: Chance) -> bytes:
    changed = bytearray(payload)
    if changed:
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _insert(payload: bytes, chance: Chance) -> bytes:
    place = chance.randint(0, len(payload))
    return payload[:place] + chance.randbytes(chance.randint(1, 8)) + payload[place:]


def _truncate(payload: bytes, chance: Chance) -> bytes:
    return payload[: chance.randint(0, len(payload))]


def _span(payload: bytes, chance: Chance) -> tuple[int, int]:
    begin = chance.randint(0, len(payload))
    return begin, min(len(payload), begin + chance.randint(1, 40))


def _replace_value(payload: bytes, chance: Chance) -> bytes:
    marker = "\u0001here\u0001"
    body = _tree(payload)
    holder, key = _place(body, chance)
    if holder is None:
        return chance.choice(WEIRD).encode()
    holder[key] = marker
    return json.dumps(body).replace(json.dumps(marker), chance.choice(WEIRD), 1).encode()


def _move_value(payload: bytes, chance: Chance) -> bytes:
    body = _tree(payload)
    (source, one), (target, other) = _place(body, chance), _place(body, chance)
    if source is None or target is None:
        return payload
    text = json.dumps(source[one])
    target[other] = json.loads(text)
    return json.dumps(body).encode()


def _drop_value(payload: bytes, chance: Chance) -> bytes:
    body = _tree(payload)
    holder, key = _place(body, chance)
    if holder is None:
        return b"{}"
    del holder[key]
    return json.dumps(body).encode()


def _repeat_key(payload: bytes, chance: Chance) -> bytes:
    body = _tree(payload)
    if not isinstance(body, dict) or not body:
        return payload
    key = chance.choice(sorted(body))
    return f"{json.dumps(body)[:-1]}, {json.dumps(key)}: {chance.choice(WEIRD)}}}".encode()


def _batch(payload: bytes, chance: Chance) -> bytes:
    return b"[" + b",".join([payload] * chance.choice((0, 1, 3, 200))) + b"]"


def _tree(payload: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _place(body: Any, chance: Chance) -> tuple[Any, Any]:  # noqa: ANN401 - any JSON
    """Draw a place in a tree: its holder and its key there; (None, None) if there is none."""
    holder = key = None
    while isinstance(body, dict | list) and body and len(str(body)) > 1:
        holder = body
        key = (
            chance.choice(sorted(body)) if isinstance(body, dict) else chance.randrange(len(body))
        )
        body = body[key]
        if chance.random() < 0.3:  # noqa: PLR2004 - else only leaves would be drawn
            break
    return holder, key


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _cut, _double, _flip, _insert, _truncate,
    _replace_value, _replace_value, _replace_value, _move_value, _drop_value, _repeat_key, _batch,
)  # fmt: skip
LARGEST: Final = 64 * 1024  # bytes; larger ones are the flood's


def mutated(payload: bytes, chance: Chance) -> bytes:
    """Return the payload with one to three mutations, of at most `LARGEST` bytes."""
    for _ in range(chance.randint(1, 3)):
        payload = chance.choice(MUTATIONS)(payload, chance)[:LARGEST]
    return payload
