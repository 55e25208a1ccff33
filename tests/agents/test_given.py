"""A wrong argument of `Agent` is told at once, with what to write."""

import pytest

from agents import Agent, skill
from protocol.errors import LocalProtocolError
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId


@skill
async def count(text: str) -> int:
    """Count words."""
    return len(text.split())


async def plain() -> None:
    """Be no skill."""


def made(**changes):
    given = {"card": "laptop", "skills": [count]} | changes
    return Agent(**({"transport": MemoryBroker().transport("laptop")} | given))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"card": 5}, "card: write the device's id, such as 'laptop', or a DeviceCard, got 5"),
        ({"skills": count}, r"skills: write a list of .*, such as \[count_words\], got Skill"),
        ({"skills": [plain]}, "skills: <function plain .* is none: write @skill above"),
        ({"skills": iter([plain])}, "skills: <function plain .* is none: write @skill above"),
        ({"transport": "localhost"}, "transport: write a Transport, such as .* got 'localhost'"),
        ({"ledger": "x.db"}, "ledger: write a Ledger, such as .* or None, got 'x.db'"),
        ({"artifacts": "folder"}, "artifacts: write Artifacts or None, got 'folder'"),
        ({"resources": ["model"]}, "resources: write a mapping of names to ResourceKind"),
        ({"resources": {"model": 1}}, "resources: write a mapping of names to ResourceKind"),
        ({"org": None}, "org: write text, got None"),
        ({"unit": 3}, "unit: write text, got 3"),
        ({"allows": True}, "allows: write a function of a caller and a skill, got True"),
        ({"powered": None}, "powered: write a function from Heartbeat to Heartbeat, got None"),
        ({"clock": 0.0}, "clock: write a function that returns seconds, or None, got 0.0"),
    ],
)
def test_an_argument_of_another_kind_is_told_with_what_to_write(wrong, said):
    with pytest.raises(TypeError, match=f"^{said}"):
        made(**wrong)


@pytest.mark.parametrize("part", ["card", "org", "unit"])
def test_what_cannot_be_part_of_an_address_is_told(part):
    with pytest.raises(LocalProtocolError, match="'a/b' in an agent's address"):
        made(**{part: "a/b"})


def test_what_is_of_its_kind_is_taken():
    made(card=DeviceCard(DeviceId("laptop")), skills=(each for each in [count]), clock=lambda: 0.0)
    assert made(skills=made().skills, resources={}).skills["count"] is count
