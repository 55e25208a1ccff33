"""An export of customers, some of it wrong, and who does not want to hear from us."""

import json

from benchmarks.crossdevice.fixture import Fixture

COUNTRIES = {"at": "Austria", "ch": "Switzerland", "de": "Germany", "fr": "France"}
WRONG = ("", "nobody", "a@b", "two@@host.com", "no space@host.com")


def make(fixture: Fixture) -> None:
    """Write the export on both servers, and serve the rest."""
    rows = []
    for number in range(50 * len(WRONG)):
        right = f"{fixture.chance.choice(('ann', 'bob', 'eve'))}.{letters(number)}@host.com"
        email = WRONG[number // 50] if number % 50 == 0 else right
        country = fixture.chance.choice([*COUNTRIES, "xx"])  # the last one has no name
        rows.append({"id": number, "email": email, "country": country})
    for server in ("server-1", "server-2"):
        fixture.table(server, "customers.csv", rows)
    gone = [{"email": row["email"]} for row in rows if "." in str(row["email"])]
    gone = fixture.chance.sample(gone, 40)
    names = [{"country": key, "country_name": name} for key, name in COUNTRIES.items()]
    for path, value in (("unsubscribed", gone), ("countries", names)):
        fixture.page(f"{path}.json", json.dumps(value), content_type="application/json")
    fixture.tell("gone", {row["email"] for row in gone})
    fixture.tell("countries", COUNTRIES)


def letters(number: int) -> str:
    """Say a number in letters."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
