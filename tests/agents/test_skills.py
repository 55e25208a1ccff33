from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import jsonschema
import pytest

from agents.skills import (
    MAX_OUTPUT_BYTES,
    BadInputError,
    BadOutputError,
    Context,
    Json,
    LeaseLostError,
    PermanentError,
    SkillError,
    Skills,
    TemporaryError,
    skill,
)
from protocol import types
from protocol.types import AttemptId, Effect, Outcome, RunId, SkillInfo, TaskId, Unknown

CONTEXT = Context(attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"))


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


@skill
async def move(path: str, by: int = 3, via: tuple[Point, ...] = (), extra: Json = None) -> Json:
    """Move a thing.

    This is not for the card.
    """
    return {"path": path, "by": by, "via": via, "extra": extra}


class Box:
    async def weigh(self, context: Context, items: list[Json]) -> Mapping[str, Json]:
        """Weigh items."""
        return {"task": context.task, "count": len(items)}


async def test_annotations_become_the_card():
    assert move.info == SkillInfo(
        name="move",
        description="Move a thing.",
        input_schema=move.info.input_schema,
        output_schema={},
        effect=Effect.PURE,
    )
    schema = move.info.input_schema
    assert schema["required"] == ["path"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["by"] == {"default": 3, "type": "integer"}
    jsonschema.Draft202012Validator.check_schema(schema)


async def test_defaults_and_nested_types_arrive_and_output_is_plain_json():
    assert await move.call(CONTEXT, {"path": "p", "via": [{"x": 1}]}) == {
        "path": "p",
        "by": 3,
        "via": [{"x": 1, "y": 0}],
        "extra": None,
    }


async def test_a_method_is_a_skill_and_gets_the_context_it_asks_for():
    weigh = skill("box.weigh", effect=Effect.ONCE, estimate_s=2.0)(Box().weigh)
    assert (weigh.info.name, weigh.info.effect, weigh.info.estimate_s) == ("box.weigh", "once", 2)
    assert "context" not in weigh.info.input_schema["properties"]
    assert await weigh.call(CONTEXT, {"items": [1, {"a": 2}]}) == {"task": "t", "count": 2}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"pth": "p", "path": "p"}, "there is no argument 'pth', did you mean 'path'?"),
        ({"zzz": 1, "path": "p"}, "there is no argument 'zzz', there are by, extra, path, via"),
        ({}, "move: 'path' is missing"),
        ({"path": "p", "via": [{"x": 1, "z": 2}]}, "move: via.0: 'z' is not known here"),
        ({"path": "p", "by": "5"}, "by: write a whole number, got '5'"),
        ({"path": "p", "via": [{"x": 1}, {}]}, "via.1: 'x' is missing"),
        ({"path": "p", "by": ["x" * 500]}, "by: write a whole number, got ['xxx"),
        ({"path": 7}, "move: path: write text, got 7"),
        ({"path": object()}, "the arguments are not JSON"),
        ({"path": "\ud800"}, "the arguments are not JSON"),
    ],
)
async def test_arguments_that_miss_the_schema_are_refused_by_name(args, sentence):
    with pytest.raises(BadInputError) as caught:
        await move.call(CONTEXT, args)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ("no number", "returned what it does not promise: write a whole number, got"),
        (object(), "returned what JSON cannot say"),
    ],
)
async def test_output_that_breaks_the_promise_is_an_error(result, sentence):
    @skill
    async def lie() -> int:
        return result

    with pytest.raises(BadOutputError, match=sentence):
        await lie.call(CONTEXT, {})


async def test_not_a_number_is_no_json():
    @skill
    async def ratio() -> Json:
        return float("nan")

    with pytest.raises(BadOutputError, match="JSON cannot say"):
        await ratio.call(CONTEXT, {})


@pytest.mark.parametrize(
    ("size", "fits"), [(MAX_OUTPUT_BYTES - 2, True), (MAX_OUTPUT_BYTES, False)]
)
async def test_output_is_bounded(size, fits):
    @skill
    async def large() -> str:
        return "x" * size

    if fits:
        assert len(await large.call(CONTEXT, {})) == size
    else:
        with pytest.raises(
            BadOutputError, match=r"its owner turns them on with \[artifacts\] in device.toml"
        ):
            await large.call(CONTEXT, {})


async def test_errors_of_the_function_pass_through():
    @skill
    async def fail() -> None:
        raise TemporaryError("busy", retry_after_s=3)

    with pytest.raises(SkillError, match="busy") as caught:
        await fail.call(CONTEXT, {})
    assert caught.value.retry_after_s == 3


async def test_a_default_that_can_change_is_new_for_each_call():
    @skill
    async def collect(found: list[int] = []) -> list[int]:  # noqa: B006  as people write it
        """Add one to what is there."""
        found.append(1)
        return found

    assert "required" not in collect.info.input_schema
    assert [await collect.call(CONTEXT, {}) for _ in range(2)] == [[1], [1]]


def test_a_context_is_handed_in_and_never_returned():
    async def strange() -> Context: ...

    with pytest.raises(TypeError, match="skill 'strange'"):
        skill(strange)


def sync() -> None: ...
async def untyped(x) -> None: ...
async def unpromised(x: int): ...
async def variadic(*rest: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (sync, "'sync' must be declared with 'async def'"),
        (untyped, "'untyped': annotate the type of x"),
        (unpromised, "annotate the type of return"),
        (variadic, r"\*rest: int cannot be named in a plan"),
    ],
)
def test_a_function_that_cannot_be_a_skill_is_refused(function, sentence):
    with pytest.raises(TypeError, match=sentence):
        skill(function)


def test_the_json_of_the_wire_is_as_good_in_a_signature(monkeypatch):
    monkeypatch.setitem(globals(), "Json", types.Json)  # as if it had been imported here

    async def wired(x: types.Json) -> None: ...

    assert skill(wired).info.input_schema["properties"]["x"] is not None


def test_a_name_that_cannot_go_on_a_card_is_refused():
    async def fine() -> None: ...

    with pytest.raises(TypeError, match="is no skill name"):
        skill("not fine")(fine)


def test_fence_of_a_later_attempt_is_greater_whichever_coordinator_made_it():
    made = [Context(attempt="a", run="r", task="t", epoch=epoch, token=token).fence
            for epoch, token in ((1, 9), (2, 3), (2, 4))]  # fmt: skip
    assert made == sorted(set(made))


async def test_reconcile_is_kept_with_the_skill():
    async def ask_the_printer(context: Context, args: Mapping[str, Json]) -> Outcome:
        return Unknown(f"{context.attempt} {args}")

    @skill(effect=Effect.ONCE, reconcile=ask_the_printer)
    async def print_label() -> None: ...

    assert await print_label.reconcile(CONTEXT, {}) == Unknown("a {}")


def test_registry_keeps_order_and_refuses_a_name_twice():
    async def other() -> None: ...

    skills = Skills([move, skill(other)])
    assert list(skills) == ["move", "other"]
    assert skills["move"] is move
    assert len(skills) == 2
    assert [info.name for info in skills.infos] == ["move", "other"]
    with pytest.raises(ValueError, match="two skills are called 'other'"):
        Skills([skill(other), skill(other)])


async def test_context_reports_asks_and_guards():
    said = []

    async def answer(question: str) -> Json:
        return f"{question} yes"

    context = Context(
        attempt=AttemptId("a"),
        run=RunId("r"),
        task=TaskId("t"),
        on_progress=lambda share, note: said.append((share, note)),
        on_ask=answer,
        lease_live=lambda: False,
    )
    context.progress(1.5, "done")
    assert said == [(1.0, "done")]
    assert await context.ask("Sure?") == "Sure? yes"
    with pytest.raises(LeaseLostError):
        context.guard()


async def test_context_by_hand_hears_nothing_and_asks_nobody():
    CONTEXT.progress(0.5)
    CONTEXT.guard()
    with pytest.raises(PermanentError, match="nobody is there to answer"):
        await CONTEXT.ask("Sure?")


async def test_checking_a_call_costs_little():
    @skill
    async def nothing(path: str, limit: int = 3) -> str:
        return path * limit

    async def once() -> float:
        start = perf_counter()
        for _ in range(200):
            await nothing.call(CONTEXT, {"path": "p"})
        return (perf_counter() - start) / 200

    # 3 µs where nothing else runs, 9 with coverage
    assert min([await once() for _ in range(10)]) < 100e-6
