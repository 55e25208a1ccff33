"""Thirty requests for files, each for another one; the policy knows half of them."""

from benchmarks.crossdevice.fixture import Fixture

KINDS = ("vault", "budget", "wiki", "plan", "photos", "menu")
TEAMS = ("sales", "interns", "ops")


def make(fixture: Fixture) -> None:
    """Write the files, the requests and the policy, which knows teams nobody asks for too."""
    rows, policy = [], []
    for number in range(30):
        kind, team = KINDS[number % len(KINDS)], fixture.chance.choice(TEAMS)
        file = f"{kind}-{number:02}.txt"
        mode = fixture.chance.choice((0o600, 0o640))
        fixture.write("server-2", f"shared/{file}", f"{kind} {number}\n", mode=mode)
        question = f"May {team} write into {file}? The {kind} is asked for by {team}"
        path = f"{fixture.folder}/shared/{file}"
        rows.append({"file": file, "team": team, "path": path, "question": question})
        granted = fixture.chance.random() < 0.5
        other = TEAMS[(TEAMS.index(team) + 1) % len(TEAMS)]
        policy.append({"file": file, "team": team if granted else other})
    fixture.table("laptop", "requests.csv", rows)
    for server in ("server-1", "server-2"):
        fixture.table(server, "policy.csv", policy)
    fixture.write("server-2", "shared/payroll.txt", "nobody asked\n", mode=0o600)
