"""The examples of the papers, and problems by chance for Hypothesis."""

import random

from hypothesis import strategies as st

from benchmarks.scheduling.model import Device, Edge, Fleet, Instance, Problem, Task, problem


def exact(costs, edges=(), *, name="by hand"):
    """A problem with costs as given, edges counted from 1, and links of bandwidth 1."""
    count = len(costs[0])
    instance = Instance(
        name,
        tuple(Task(1.0) for _ in costs),
        tuple(Edge(u - 1, v - 1, float(size)) for u, v, size in edges),
    )
    fleet = Fleet((Device(),) * count, ((1.0,) * count,) * count)
    return Problem(instance, fleet, tuple(tuple(map(float, row)) for row in costs))


# Topcuoglu, Hariri, Wu 2002, figure 2: the graph, and the costs on three processors.
TOPCUOGLU = exact(
    [
        *((14, 16, 9), (13, 19, 18), (11, 13, 19), (13, 8, 17), (12, 13, 10)),
        *((13, 16, 9), (7, 15, 11), (5, 11, 14), (18, 12, 20), (21, 7, 16)),
    ],
    [
        *((1, 2, 18), (1, 3, 12), (1, 4, 9), (1, 5, 11), (1, 6, 14), (2, 8, 19), (2, 9, 16)),
        *((3, 7, 23), (4, 8, 27), (4, 9, 23), (5, 9, 13), (6, 8, 15), (7, 10, 17)),
        *((8, 10, 11), (9, 10, 13)),
    ],
)

# Arabnejad, Barbosa 2014, figure 1 and table 4.
ARABNEJAD = exact(
    [
        *((22, 21, 36), (22, 18, 18), (32, 27, 43), (7, 10, 4), (29, 27, 35)),
        *((26, 17, 24), (14, 25, 30), (29, 23, 36), (15, 21, 8), (13, 16, 33)),
    ],
    [
        *((1, 2, 17), (1, 3, 31), (1, 4, 29), (1, 5, 13), (1, 6, 7), (2, 8, 3), (2, 9, 30)),
        *((3, 7, 16), (4, 8, 11), (4, 9, 7), (5, 9, 57), (6, 8, 5), (7, 10, 9)),
        *((8, 10, 42), (9, 10, 7)),
    ],
)

# Fisher, Thompson 1963: the job shop of 6 jobs on 6 machines; its optimum is 55.
FT06 = """\
# machine and duration, in turn
6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""


@st.composite
def problems(draw, *, skills=True):
    """Small problems: any graph, zero works and sizes too, devices that differ in all they can."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    count, devices = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    density = draw(st.sampled_from([0.0, 0.2, 0.6]))
    tasks = tuple(
        Task(chance.choice([0.0, 1.0, chance.uniform(0.1, 9.0)]), chance.choice("ab"))
        for _ in range(count)
    )
    place = list(range(count))
    chance.shuffle(place)  # the order of the tasks is not the order of the graph
    edges = tuple(
        Edge(place[u], place[v], chance.choice([0.0, chance.uniform(0.1, 9.0)]))
        for v in range(count)
        for u in range(v)
        if chance.random() < density
    )
    made = [Device(speed=chance.uniform(0.5, 2.0)) for _ in range(devices)]
    if skills and devices > 1:
        made[1] = Device(skills=frozenset("b"))
    links = [[chance.uniform(0.5, 2.0) for _ in made] for _ in made]
    fleet = Fleet(tuple(made), tuple(map(tuple, links)))
    return problem(Instance("by chance", tasks, edges), fleet)
