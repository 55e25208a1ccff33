"""Outlooks by hand and by chance."""

from math import inf

from hypothesis import strategies as st

from orchestrator.core.scheduling.outlook import Outlook


def outlook(cost, links=(), *, slots=None, per_byte=1.0, ahead=True, done=None):
    """Tasks with these costs, links (source, target, bytes), and devices that are free."""
    devices = len(cost[0]) if cost else 2
    rates = [[0.0 if a == b else per_byte for b in range(devices)] for a in range(devices)]
    before = [[(u, float(size)) for u, v, size in links if v == task] for task in range(len(cost))]
    done = done or [0.0] * len(cost)
    return Outlook(
        [list(map(float, row)) for row in cost],
        before,
        [[at] * devices for at in done],
        list(done),
        [[0.0] * devices for _ in cost],
        rates,
        [[0.0] * (slots[d] if slots else 1) for d in range(devices)],
        ahead,
    )


@st.composite
def outlooks(draw):
    """Any graph of up to eight tasks on up to three devices; some cannot do some tasks."""
    count, devices = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    cost = [
        [draw(st.sampled_from([0.5, 1.0, 2.0, 5.0, inf])) for _ in range(devices)]
        for _ in range(count)
    ]
    for row in cost:
        row[0] = min(row[0], 9.0)  # somebody can
    links = [
        (u, v, draw(st.sampled_from([0.0, 1.0, 4.0])))
        for v in range(count)
        for u in range(v)
        if draw(st.booleans())
    ]
    slots = [draw(st.integers(1, 2)) for _ in range(devices)]
    return outlook(cost, links, slots=slots, ahead=draw(st.booleans()))
