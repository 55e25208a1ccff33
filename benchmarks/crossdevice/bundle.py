"""What is kept of a play that failed: all that it takes to look at it, and to play it again."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.crossdevice.faults import Kind
from benchmarks.crossdevice.fleet import FLEET, files_of
from benchmarks.crossdevice.play import GIVEN, Played
from benchmarks.crossdevice.stage import Stage

REPLAY: Final = (
    "muster bench crossdevice --task {task} --arm {arm} --fault {peace}{fault} --seed {seed}"
    " --stage {stage}\n"
)


def keep(stage: Stage, played: Played, row: Mapping[str, Any], bundles: Path) -> Path:
    """Copy files, events, findings and logs of a play into a folder of its own; return it."""
    folder = bundles / "-".join(str(row[each]) for each in ("task", "arm", "fault", "seed"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(stage.root / GIVEN / played.folder, folder / "given")
    for device in FLEET:
        shutil.copytree(files_of(stage.root, device) / played.folder, folder / "now" / device)
    for log in stage.root.glob("*/log"):
        shutil.copy(log, folder / f"{log.parent.name}.log")
    _write(folder / "events.jsonl", "\n".join(json.dumps(each) for each in played.events))
    _write(folder / "result.json", json.dumps(row, indent=2))
    _write(folder / "replay.sh", REPLAY.format(peace=peace(row["fault"]), **row))
    return folder


def peace(fault: str) -> str:
    """Return what is played before: when a fault strikes is a share of what that started."""
    return "" if fault == Kind.NONE else f"{Kind.NONE},"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
