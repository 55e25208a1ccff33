import pytest

from benchmarks.crossdevice.campaign import Store, cases, run
from benchmarks.crossdevice.faults import Fate, Kind, Plan
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.play import play
from benchmarks.crossdevice.session import open_stage
from benchmarks.crossdevice.task import load

TASK = load("log_triage_errors_by_cause")
OTHER = load("mirror_fallback_restore")
AROUND = {"stage": "processes", "commit": "c"}


@pytest.mark.broker
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("installed_mosquitto")
async def test_a_task_is_done_by_processes_in_peace_and_while_one_is_killed(tmp_path):
    faults = [Kind.NONE, Kind.BROKER]
    played = cases([TASK], arms=["ours"], faults=faults, seeds=[1])
    played = [*played, *cases([OTHER], arms=["ours"], faults=[Kind.COORDINATOR], seeds=[1])]
    async with open_stage("processes", tmp_path / "stage", [TASK, OTHER]) as stage:
        plays = run(stage, played, store=Store(None), around=AROUND, bundles=tmp_path / "failed")
        rows = [row async for row in plays]
        assert stage.pages.sites == {}
        left = [path for name in FLEET for path in (tmp_path / "stage" / name / "files").iterdir()]
        gone = Fate(Plan(Kind.DEVICE_LOST, 0, "phone-1"), TASK, {"server-1": 1})
        seen = await play(TASK, stage, seed=0, number=9, faults=gone)

    assert [(row["success"], row["plan"]["struck"]) for row in rows] == [
        (True, False),
        (True, True),
        (True, True),
    ]
    assert all(row["messages"] for row in rows)
    assert left == []
    assert (seen.success, gone.struck_at is not None) == (True, True)
