"""ARCHITECTURE.md shows the tables the code runs on. Renew: python tests/test_architecture.py."""

from pathlib import Path

from orchestrator.core.lifecycle import ATTEMPT, TASK

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


def renewed(text):
    for name, first, table in (("task", "waiting", TASK), ("attempt", "offered", ATTEMPT)):
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        after = rest.split(f"<!-- /{name} -->", 1)[1]
        drawn = diagram(first, table)
        text = f"{before}<!-- {name} -->\n{drawn}\n<!-- /{name} -->{after}"
    return text


def test_the_diagrams_are_those_of_the_transition_tables():
    text = PAGE.read_text()
    assert renewed(text) == text


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
