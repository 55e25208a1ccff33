"""Thirty endpoints: most are well, some are down, some only for the first who asks."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Serve them, and list them with what they must answer."""
    rows = []
    for number in range(30):
        kind = "down" if number < 4 else "slow start" if number < 8 else "well"
        expected = fixture.chance.choice((200, 200, 204, 401))
        status = fixture.chance.choice((404, 418, 500)) if kind == "down" else expected
        body = "" if status == 204 else kind
        path = f"services/{fixture.chance.randbytes(3).hex()}"
        fixture.page(path, body, status=status, fails=int(kind == "slow start"))
        url = f"{fixture.url}/{path}"
        rows.append({"name": f"svc-{number:02}", "url": url, "status": expected, "kind": kind})
    fixture.chance.shuffle(rows)
    fixture.tell("down", [row["name"] for row in rows if row["kind"] == "down"])
    targets = [{key: row[key] for key in ("name", "url", "status")} for row in rows]
    fixture.table("laptop", "targets.csv", targets)
