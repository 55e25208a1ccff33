"""Facts as the journal writes them: every one comes back as it was, also from a former version."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.edits import AddTask
from orchestrator.core.facts import AttemptSucceeded, EditAccepted, RunPaused, TaskFailed
from orchestrator.core.model import TaskSpec
from orchestrator.journal.codec import KINDS, decode, encode
from protocol.types import AttemptId, Json, RunId, TaskId

R, T = RunId("r"), TaskId("t")
PAUSED = RunPaused(R)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
FEW = {"max_size": 2}


def values(hint) -> st.SearchStrategy:
    """Any value of a type that a fact is made of; `Json` included."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return st.builds(hint, **{f.name: values(f.type) for f in dataclasses.fields(hint)})
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(values, args))
    if hint is Json:
        return JSON
    table = {
        str: lambda: st.text(st.characters(), **FEW),  # half of a surrogate pair included
        float: lambda: st.floats(allow_nan=False),
        tuple: lambda: st.lists(values(args[0]), **FEW).map(tuple),
        Mapping: lambda: st.dictionaries(st.text(**FEW), values(args[1]), **FEW),
    }
    plain = origin or getattr(hint, "__supertype__", hint)
    return table[plain]() if plain in table else st.from_type(plain)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_fact_comes_back_as_it_was(kind):
    @settings(max_examples=20, deadline=None)
    @given(values(kind))
    def comes_back(fact):
        assert decode(encode(fact)) == fact

    comes_back()


def test_a_mapping_that_is_no_dict_is_journaled_as_one():
    output = types.MappingProxyType({"lines": 3})
    fact = AttemptSucceeded(R, T, AttemptId("a"), output, None)
    assert decode(encode(fact)).output == {"lines": 3}


def test_a_fact_of_the_former_version_is_upgraded():
    upgrades = {("TaskFailed", 0): lambda old: {"reason": old["why"]}}
    assert decode(("TaskFailed", "r", "t", '{"why":"x"}'), 0, upgrades=upgrades) == TaskFailed(
        R, T, "x"
    )
    assert decode(("RunPaused", "r", None, "{}"), 0, upgrades=upgrades) == PAUSED


def test_a_body_is_plain_json_for_whoever_reads_the_file_otherwise():
    fact = EditAccepted(R, 1, "planner", (AddTask(TaskSpec(T, "noop")),))
    kind, run, task, body = encode(fact)
    assert (kind, run, task) == ("EditAccepted", "r", None)
    assert json.loads(body)["edits"][0]["$"] == "AddTask"
