"""Two quarters of sales on both servers; somebody has put the second one away too early."""

from benchmarks.crossdevice.fixture import Fixture

PRODUCTS = ("anvil", "bolt", "chain", "drill", "easel", "file", "gauge", "hinge")


def make(fixture: Fixture) -> None:
    """Write each quarter where it is; the one of last year has another name."""
    place = f"archive/{fixture.chance.randrange(100, 999)}"
    for path in ("sales/q1.csv", f"{place}/q2.csv", f"{place}/q2-last-year.csv"):
        rows = []
        for number in range(120):
            pieces = fixture.chance.randrange(1, 14)
            product = fixture.chance.choice(PRODUCTS)
            amount = pieces * fixture.chance.randrange(3, 40)
            rows.append({"sale": number, "product": product, "pieces": pieces, "amount": amount})
        for server in ("server-1", "server-2"):
            fixture.table(server, path, rows)
