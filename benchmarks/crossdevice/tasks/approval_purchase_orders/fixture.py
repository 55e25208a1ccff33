"""Twenty orders, eight of them dear or about to be."""

from benchmarks.crossdevice.fixture import Fixture

DEAR = ("forklift", "statue", "server rack", "drone", "piano", "crane hire", "printer", "sofa")
SMALL = ("paper", "pens", "coffee", "cables", "mugs", "stamps")


def make(fixture: Fixture) -> None:
    """Write the orders; one of the dear things costs just the limit."""
    rows = []
    for number, what in enumerate((*DEAR, *SMALL, *SMALL)):
        dear = what in DEAR
        amount = fixture.chance.randrange(1001, 9000) if dear else fixture.chance.randrange(5, 900)
        if what == "printer":
            amount = 1000
        question = f"Order {number}: may we buy the {what} for {amount} euro?"
        rows.append({"order": number, "what": what, "amount": amount, "question": question})
    fixture.chance.shuffle(rows)
    fixture.table("laptop", "orders.csv", rows)
