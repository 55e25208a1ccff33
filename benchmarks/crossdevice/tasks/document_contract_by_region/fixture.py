"""A template, the customers' pages, their orders, and two annexes."""

import json

from benchmarks.crossdevice.fixture import Fixture

TEMPLATE = """CONTRACT

between us and $name of $city ($region)

The yearly price is $total Euro; an advance of 100 $$ is not asked for.

$annex
"""

RENDER = """import html, pathlib, sys
source, target = map(pathlib.Path, sys.argv[1:])
lines = source.read_text().splitlines()
target.write_text("".join(f"<p>{html.escape(line)}</p>\\n" for line in lines if line))
"""


def make(fixture: Fixture) -> None:
    """Write the template and the orders, and serve the rest."""
    fixture.write("laptop", "contract.tmpl", TEMPLATE)
    fixture.write("laptop", "tools/render.py", RENDER)
    for number in range(10, 20):
        page = {
            "name": f"Firm {fixture.chance.randrange(1000)} & Sons",
            "city": fixture.chance.choice(("Bonn", "Lyon", "Lima", "Oslo")),
            "region": fixture.chance.choice(("eu", "americas", "asia", "eu")),
        }
        text = json.dumps(page)
        fixture.page(f"customers/C-{number}.json", text, content_type="application/json")
    orders = [
        {
            "order": number,
            "customer": f"C-{fixture.chance.randrange(10, 20)}",
            "price": fixture.chance.randrange(5, 900),
        }
        for number in range(200)
    ]
    for server in ("server-1", "server-2"):
        fixture.table(server, "orders.csv", orders)
    for name in ("eu", "world"):
        text = f"ANNEX {name}: law of {fixture.chance.randrange(1950, 2025)} applies.\n"
        fixture.page(f"annex/{name}.txt", text, content_type="text/plain")
        fixture.tell(f"annex of {name}", text)
    fixture.tell("customer", json.loads(fixture.site.pages["customers/C-17.json"].body))
