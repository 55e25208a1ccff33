"""The examples of the papers, as outlooks: inputs are sent as soon as they are made."""

from tests.orchestrator.core.scheduling.outlooks import outlook


def counted_from_1(costs, links):
    return outlook(costs, [(u - 1, v - 1, size) for u, v, size in links])


def gantt(found):
    """Where each task runs, devices counted from 1, and until when."""
    return [(device + 1, end) for device, end in zip(found.device, found.finish, strict=True)]


# Topcuoglu, Hariri, Wu 2002, figure 2: the graph, and the costs on three processors.
TOPCUOGLU = counted_from_1(
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
ARABNEJAD = counted_from_1(
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

ONE_RUN = (0,) * 10
