"""ARCHITECTURE.md shows what the code runs on. Renew: python -m tests.test_architecture."""

from pathlib import Path

from orchestrator.core.lifecycle import ATTEMPT, TASK
from tests import peer_faults

PAGE = Path(__file__).parent.parent / "ARCHITECTURE.md"


def diagram(first, table):
    """Draw a transition table; rows with the same ends share an arrow."""
    arrows = {}
    for state, row in table.items():
        for cause, following in row.items():
            arrows.setdefault((state, following), []).append(str(cause))
    lines = [f"    {a} --> {b}: {', '.join(causes)}" for (a, b), causes in arrows.items()]
    ends = [f"    {state} --> [*]" for state, row in table.items() if not row]
    return "\n".join(
        ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, *ends, "```"]
    )


DRAWN = {
    "task": lambda: diagram("waiting", TASK),
    "attempt": lambda: diagram("offered", ATTEMPT),
    "peer faults": peer_faults.table,
}


def renewed(text):
    for name, draw in DRAWN.items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        after = rest.split(f"<!-- /{name} -->", 1)[1]
        text = f"{before}<!-- {name} -->\n{draw()}\n<!-- /{name} -->{after}"
    return text


def test_what_is_generated_is_up_to_date():
    text = PAGE.read_text()
    assert renewed(text) == text


def test_every_fault_of_a_peer_has_a_test_or_a_reason():
    found = peer_faults.shown_by()
    assert found.keys() <= peer_faults.FAULTS.keys()
    assert found.keys() | peer_faults.LATER.keys() == peer_faults.FAULTS.keys()


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
