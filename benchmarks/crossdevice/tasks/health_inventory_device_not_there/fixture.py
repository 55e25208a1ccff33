"""Sensors of three edges; the files of the third went to the second when it was taken down."""

from benchmarks.crossdevice.fixture import Fixture

PLACES = {"edge-1": "edge-1", "edge-2": "edge-2", "edge-3": "edge-2"}


def make(fixture: Fixture) -> None:
    """Write the sensors, and the note on both servers of where they are."""
    kept = f"attic/{fixture.chance.randrange(10**5)}/sensors.json"
    for edge, device in PLACES.items():
        rows = [
            {
                "edge": edge,
                "sensor": f"s{n}",
                "battery": fixture.chance.choice((19, 20, 5, 60, 91)),
            }
            for n in range(40)
        ]
        fixture.json(device, kept if edge == "edge-3" else "sensors.json", rows)
    fixture.json(
        "edge-2", "attic/0/sensors.json", [{"edge": "edge-9", "sensor": "x", "battery": 1}]
    )
    note = [
        {
            "device": "edge-9",
            "now_on": "edge-2",
            "kept_at": f"{fixture.folder}/attic/0/sensors.json",
        },
        {"device": "edge-3", "now_on": "edge-2", "kept_at": f"{fixture.folder}/{kept}"},
    ]
    for server in ("server-1", "server-2"):
        fixture.table(server, "decommissioned.csv", note)
