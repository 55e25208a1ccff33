"""One device, tasks with due dates, and what could at best come of them.

A task whose run goes on for long after it is due long before its run: so it can be late, which a
run cannot be, that is over at its deadline.
"""

from itertools import combinations, permutations

from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import drawn, limits, play
from tests.support.world import World, edge, task

TAIL = 1000.0  # times the task itself


def instance(seed, count, *, tight):
    """Durations and due dates by chance; the due dates of a tight one cannot all be met."""
    durations = [drawn(seed, 2 * n, 1, 9) for n in range(count)]
    last = sum(durations) // 2 if tight else 4 * sum(durations)
    return [(p, drawn(seed, 2 * n + 1, p, max(p, last))) for n, p in enumerate(durations)]


def order_of(policy: Policy, jobs):
    """The jobs, by number, in the order in which a policy lets one device do them."""
    world = World(policy=policy, checked=False)
    world.device("tails", "tail", slots=99)
    for n, (p, d) in enumerate(jobs):
        world.submit(
            task(f"j{n}", estimate_s=float(p)),
            task(f"tail{n}", "tail", estimate_s=TAIL * p),
            edge(f"j{n}", f"tail{n}"),
            run=f"r{n}",
            limits=limits(deadline_s=d * (1.0 + TAIL)),
        )
    world.device("d")  # it finds all of them waiting
    spans = play(world, until=float(sum(p for p, _ in jobs)))
    return [int(span.task[1:]) for span in spans if span.device == "d"]


def tardiness(jobs, order):
    """Sum of what jobs are late by."""
    return sum(max(0, late) for late in lateness(jobs, order))


def lateness(jobs, order):
    at, late = 0, []
    for n in order:
        at += jobs[n][0]
        late.append(at - jobs[n][1])
    return late


def least_tardiness(jobs):
    """Held, Karp 1962: over all sets of jobs, which of them is last."""
    best = {frozenset(): 0}
    for size in range(1, len(jobs) + 1):
        for chosen in map(frozenset, combinations(range(len(jobs)), size)):
            end = sum(jobs[n][0] for n in chosen)
            best[chosen] = min(best[chosen - {n}] + max(0, end - jobs[n][1]) for n in chosen)
    return best[frozenset(range(len(jobs)))]


def least_lateness(jobs):
    return min(max(lateness(jobs, order)) for order in permutations(range(len(jobs))))
