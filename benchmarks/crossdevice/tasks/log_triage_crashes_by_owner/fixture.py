"""Forty crash reports each on a phone and a GPU box, and who owns four of six modules."""

import json

from benchmarks.crossdevice.fixture import Fixture

MODULES = ("camera", "codec", "driver", "maps", "radio", "shell")


def make(fixture: Fixture) -> None:
    """Write the reports, and serve copies of them and the owners."""
    for device in ("phone-1", "gpu-1"):
        reports = [
            {
                "module": fixture.chance.choice(MODULES),
                "version": f"2.{fixture.chance.randrange(10)}",
                "signal": fixture.chance.choice((6, 11)),
            }
            for _ in range(40)
        ]
        lines = "".join(f"{json.dumps(report)}\n" for report in reports)
        fixture.write(device, "crashes.jsonl", lines)
        fixture.page(
            f"uploads/{device}.json", json.dumps(reports), content_type="application/json"
        )
    owners = [
        {"module": each, "owner": f"team-{fixture.chance.randrange(9)}"}
        for each in fixture.chance.sample(MODULES, 4)
    ]
    fixture.page("owners.json", json.dumps(owners), content_type="application/json")
    fixture.tell("owners", {each["module"]: each["owner"] for each in owners})
