from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.model import ForEach, Needs, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.planner.checks.scan import said, scan
from protocol.types import ResourceNeed

REFERENCES = st.builds(
    lambda task, path: {"$from": task, **path},
    st.sampled_from("abc"),
    st.sampled_from([{}, {"path": []}, {"path": ["x", 0]}]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | REFERENCES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("pq"), VALUES), st.none() | VALUES)
def test_references_are_those_that_the_core_finds(args, source):
    spec = TaskSpec("t", "s", args, for_each=ForEach(source))
    found = scan(spec)
    assert tuple(found.sources) == predecessors(spec)
    assert {task for task, _ in found.paths} == set(found.sources)
    assert found.malformed == []


def test_literals_are_collected_with_the_names_of_nested_members():
    found = scan(TaskSpec("t", "s", {"a": {"b": ["c", 1, 2.5, True, None]}, "d": "e"}))
    assert (found.texts, found.numbers) == (["b", "c", "e"], [1, 2.5])


def test_labels_device_and_resources_are_said_too():
    needs = Needs("nas", {"role": "server"}, (ResourceNeed("gpu", "llama", 1.0),))
    spec = TaskSpec("t", "s", {"x": "y"}, needs=needs, for_each=ForEach(labels={"os": "linux"}))
    assert said(spec, scan(spec)) == ("y", "server", "nas", "llama", "linux")
