"""What people read of warm resources: where they stand and what happened to them."""

from dataclasses import fields

import pytest
from rich.console import Console

from orchestrator.core import facts as f
from orchestrator.core.facts import RunStatus
from orchestrator.core.facts.resources import Cause
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Needs, TaskSpec
from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.snapshot import (
    DeviceSnapshot,
    RunSnapshot,
    TaskSnapshot,
    UtilitySnapshot,
    WarmSnapshot,
)
from orchestrator.render import graph, story, tables, warm
from orchestrator.render.progress import Progress
from orchestrator.service import documents
from protocol.types import DeviceCard, DeviceId, Load, PinScope, ResourceNeed, RunId, TaskId

GPU = DeviceId("gpu-1")
WAITS = "next use waits for search on phone (reload 4.0 s, index 1.8)"


def held(key="s", state=PinState.PROTECTED, run="r1", amount=1.6e10, **more):
    return WarmSnapshot(GPU, "kv", key, run, state, amount, **more)


KEPT = held(
    age_s=3.0,
    lease_s=12.0,
    protected_s=9.0,
    release_s=3597.0,
    awaits="search",
    device_class="phone",
    reload_s=4.0,
    index=1.84,
)


def text(shown):
    out = Console(width=200, highlight=False)
    with out.capture() as capture:
        out.print(shown)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (KEPT, f"16G, idle for 3.0 s of 12 s: {WAITS}"),
        (held(state=PinState.LOADING, users=2), "16G, awaited by 2"),
        (held(state=PinState.IN_USE, users=1, amount=1.0), "1, used by 1"),
        (held(age_s=3.0, queued=1), "16G, idle for 3.0 s: a task is queued for it here"),
        (
            held(state=PinState.EVICTABLE, run=None, age_s=90.0, release_s=3510.0),
            "16G, idle for 90 s: no use is known, it goes in 3510 s at the latest",
        ),
        (
            held(state=PinState.EVICTABLE, age_s=9.0, awaits="planner", index=0.5),
            "16G, idle for 9.0 s: next use waits for the planner (reload 0.0 s, index 0.5)",
        ),
        (
            held(state=PinState.EVICTABLE, age_s=9.0, index=0.5),
            "16G, idle for 9.0 s: next use is known (reload 0.0 s, index 0.5)",
        ),
    ],
)  # fmt: skip
def test_a_resource_says_why_it_is_where_it_is(seen, said):
    assert warm.why(seen) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.5, "0.5"), (999.0, "999"), (1.5e3, "1.5k"), (2e6, "2M"), (1.6e10, "16G"), (3e12, "3T")],
)
def test_an_amount_is_short(value, said):
    assert warm.amount(value) == said


def device(*resources, utility=()):
    card = DeviceCard(GPU, slots=2)
    return DeviceSnapshot(card, True, Load(), (), resources, utility)  # noqa: FBT003 - online


def test_devices_have_what_is_warm_there_below_them():
    model = held("model", PinState.IN_USE, None, users=1)
    lines = text(tables.devices([device(KEPT, model)])).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["gpu-1", "online", "0/2", "0"],
        ["kv/s", "of", "r1", "protected", *warm.why(KEPT).split()],
        ["kv/model", "in_use", *warm.why(model).split()],
    ]
    assert lines[2].startswith("  kv/s")


def test_a_run_shows_what_it_keeps_warm():
    run = RunSnapshot(RunId("r1"), "x", 1, RunStatus.RUNNING, (), warm=(KEPT,))
    assert text(graph.graph(run)) == (
        "run r1, revision 1: x\n"
        "running\n"
        "warm\n"
        f"  kv/s  protected  on gpu-1  16G, idle for 3.0 s of 12 s: {WAITS}"
    )


def test_a_task_shows_what_it_needs_warm():
    need = ResourceNeed("model", "llama", 8e9, PinScope.SHARED)
    spec = TaskSpec(TaskId("t"), "infer", needs=Needs(resources=(need,)))
    shown = TaskSnapshot(spec, TaskState.WAITING, "", None)
    assert "warm       model/llama (8G, shared)" in text(graph.task(shown))


def test_utility_is_told_by_kind_over_all_devices():
    once = (UtilitySnapshot("kv", 30.0, 2.0, 15.0), UtilitySnapshot("browser", 5.0, 0.0, None))
    again = (UtilitySnapshot("kv", 6.0, 2.0, 3.0),)
    assert list(warm.utility([device(utility=once), device(utility=again)])) == [
        "kv: 36 s of work, 4.0 s of loading (ratio 9.0)",
        "browser: 5.0 s of work, 0.0 s of loading",
    ]
    assert not list(warm.utility([device()]))


def event(kind, **data):
    return {"seq": 1, "wall": 0.0, "fact": kind.__name__, "data": data}


WHAT = {"device": "gpu-1", "resource": ["model", "llama", None], "run": None}
GAP = {"awaits": "search", "device_class": "phone"}
GRANT = {**WHAT, "since": 100.0, "protected_until": 112.0, "release_at": 3700.0}
WORTH = {**GAP, "reload_s": 4.0, "index": 0.45}
LLAMA = "model/llama on gpu-1"
PLANNED = f"kept {LLAMA} for 12 s: next use waits for the planner (reload 1.0 s, index 2.0)"
WAITED = f"next use of {LLAMA} was ready after 3.0 s: it waited for search on phone"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            event(f.PinGranted, **GRANT, **WORTH),
            f"kept model/llama on gpu-1 for 12 s: {WAITS}",
        ),
        (
            event(f.PinGranted, **{**GRANT, "protected_until": 100.0}, **WORTH),
            f"model/llama on gpu-1 stays until its memory is wanted: {WAITS}",
        ),
        (
            event(f.PinGranted, **{**GRANT, "protected_until": 100.0}, awaits=""),
            "model/llama on gpu-1 stays until its memory is wanted: no use is known",
        ),
        (
            event(f.PinGranted, **{**GRANT, "protected_until": 3700.0}, awaits=""),
            "kept model/llama on gpu-1 for 3600 s: a task is queued for it",
        ),
        (
            event(f.PinGranted, **GRANT, awaits="planner", reload_s=1.0, index=2.0),
            PLANNED,
        ),
        (
            event(f.ResourceReleased, **{**WHAT, "resource": ["session", "s", "r"]},
                  cause="last use"),
            "let session/s on gpu-1 go: last use",
        ),
        (
            event(f.ResourceReleased, **WHAT, cause="evicted"),
            "let model/llama on gpu-1 go: its memory is wanted",
        ),
        (
            event(f.ResourceReleased, **WHAT, cause="of a later release"),
            "let model/llama on gpu-1 go: of a later release",
        ),
        (
            event(f.ResourceEvicted, **WHAT, reason="its device gave it up"),
            "model/llama on gpu-1 is gone: its device gave it up",
        ),
        (event(f.ResourceLoaded, **WHAT, load_s=4.25), "loaded model/llama on gpu-1 in 4.2 s"),
        (event(f.ResourceAdopted, **WHAT, amount=1.0, at=1.0), "found model/llama on gpu-1 warm"),
        (event(f.WarmSetVoided, device="gpu-1"), "nothing is warm any more on gpu-1"),
        (
            event(f.GapObserved, **WHAT, **GAP, gap_s=3.0, cut=False),
            WAITED,
        ),
        (
            event(f.GapObserved, **WHAT, awaits="search", device_class="", gap_s=3.0, cut=True),
            "next use of model/llama on gpu-1: none, as is known after 3.0 s",
        ),
        (
            event(f.ReuseObserved, **WHAT, reused=True),
            "the new plan uses model/llama on gpu-1 again",
        ),
        (
            event(f.ReuseObserved, **WHAT, reused=False),
            "the new plan does not use model/llama on gpu-1 again",
        ),
        (
            event(f.RunTimeObserved, device="phone", skill="search", run_s=3.0),
            "search took 3.0 s on phone",
        ),
    ],
)  # fmt: skip
def test_what_happened_to_a_warm_resource_is_a_sentence(told, said):
    assert story.sentence(told) == said
    known = {kind.__name__: kind for kind in warm.SENTENCES}[told["fact"]]
    assert set(told["data"]) <= {field.name for field in fields(known)}


@pytest.mark.parametrize("kind", warm.SENTENCES)
def test_a_fact_whose_fields_were_too_large_to_send_is_still_told(kind):
    assert story.sentence(event(kind, omitted_bytes=9))
    Progress().take(event(kind, omitted_bytes=9))


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_of_a_release_is_told(cause):
    assert story.sentence(event(f.ResourceReleased, **WHAT, cause=cause)).partition(": ")[2]


def test_warm_resources_of_the_progress_are_no_tasks():
    shown = Progress()
    shown.take(event(f.PinGranted, **GRANT, **WORTH))
    assert not shown.lines


def test_a_device_is_read_again_as_it_was_said():
    said = device(KEPT, utility=(UtilitySnapshot("kv", 30.0, 2.0, 15.0),))
    document = documents.of_device(said)
    assert document["warm"][0]["state"] == "protected"
    assert document["warm_omitted"] == 0
    assert documents.devices_from([document]) == (said,)


def test_of_very_many_resources_the_first_are_told_and_the_rest_counted():
    document = documents.of_warm([KEPT] * (documents.WARM_TOLD + 3))
    assert len(document["warm"]) == documents.WARM_TOLD
    assert document["warm_omitted"] == 3
