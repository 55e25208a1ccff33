"""Both kinds of fleets."""

from itertools import chain
from math import inf

import pytest

from benchmarks.scheduling.fleets import CCR, CLUSTER, FLEETS, SIZES, related, unrelated
from benchmarks.scheduling.generators import layered
from benchmarks.scheduling.instances import public
from benchmarks.scheduling.model import Device, Edge, Instance, Task, problem

GRAPH = layered(60, 0)


def ccr(there):
    """A mean transfer over a mean task, as Topcuoglu, Hariri and Wu have it."""
    edges = there.instance.edges
    transfer = sum(there.mean_transfer(edge.size) for edge in edges) / len(edges)
    return transfer / (sum(there.mean_costs) / len(there.mean_costs))


@pytest.fixture(scope="module")
def drawn():
    """The ratio of each public instance that sends anything, on the fewest devices."""
    instances = [
        each
        for each in public()
        if any(edge.size for edge in each.edges) and any(task.work for task in each.tasks)
    ]
    return {each.name: ccr(problem(each, unrelated(each, SIZES[0], 0))) for each in instances}


def test_transfers_take_as_long_beside_tasks_as_the_grid_says(drawn):
    assert len(drawn) > 90
    for name, found in drawn.items():
        assert any(found == pytest.approx(ratio) for ratio in CCR), name


def test_each_ratio_of_the_grid_is_drawn_as_often(drawn):
    counts = [sum(found == pytest.approx(ratio) for found in drawn.values()) for ratio in CCR]
    assert all(8 <= count <= 32 for count in counts), counts


def test_a_device_has_a_pace_of_its_own_at_each_skill():
    fleet = unrelated(GRAPH, 8, 0)
    paces = [device.paces for device in fleet.devices]

    assert all([*each] == GRAPH.skills for each in paces)
    every = list(chain.from_iterable(each.values() for each in paces))
    assert len({*every}) == len(every) == 8 * len(GRAPH.skills)
    assert 0.5 <= min(every) < 0.7
    assert 1.4 < max(every) <= 2.0
    for task, row in zip(GRAPH.tasks, problem(GRAPH, fleet).costs, strict=True):
        paces = [d.speed * d.paces[task.skill] for d in fleet.devices]
        assert row == pytest.approx([task.work / pace for pace in paces])


def test_what_a_device_makes_of_a_skill_counts_beside_its_speed():
    assert Device(speed=2.0, paces={"see": 1.5}).pace("see") == 3.0
    assert Device(speed=2.0, paces={"see": 1.5}).pace("say") == 2.0


def test_speeds_are_those_of_the_cluster_and_links_in_proportion_to_its_links():
    fleet, cluster = unrelated(GRAPH, 4, 3), related(GRAPH, 4, 3)

    assert [d.speed for d in fleet.devices] == [d.speed for d in cluster.devices]
    quotients = {
        round(slow / fast, 9)
        for row, known in zip(fleet.bandwidth, cluster.bandwidth, strict=True)
        for slow, fast in zip(row, known, strict=True)
    }
    assert len(quotients) == 1


@pytest.mark.parametrize("draw", FLEETS.values())
def test_a_fleet_follows_from_its_seed(draw):
    assert draw(GRAPH, 8, 1) == draw(GRAPH, 8, 1) != draw(GRAPH, 8, 2)
    assert len(draw(GRAPH, 16, 1).devices) == 16
    assert all(0.5 <= device.speed <= 2.0 for device in draw(GRAPH, 16, 3).devices)
    links = draw(GRAPH, 4, 3).bandwidth
    assert all(links[a][b] == links[b][a] < inf for a in range(4) for b in range(4))


def test_another_instance_has_another_ratio():
    others = [Instance(f"x{n}", GRAPH.tasks, GRAPH.edges) for n in range(20)]
    assert len({round(ccr(problem(each, unrelated(each, 4, 0))), 6) for each in others}) == 5


def test_another_seed_draws_other_paces_and_ratios():
    fleets = [unrelated(GRAPH, 4, seed) for seed in range(20)]
    assert len({tuple(each.devices[0].paces.values()) for each in fleets}) == 20
    assert len({round(ccr(problem(GRAPH, each)), 6) for each in fleets}) == 5


@pytest.mark.parametrize("edges", [(), (Edge(0, 1, 0.0),)])
def test_where_nothing_is_sent_links_are_those_of_the_cluster(edges):
    quiet = Instance("quiet", (Task(1.0), Task(2.0)), edges)
    assert unrelated(quiet, 4, 0).bandwidth == related(quiet, 4, 0).bandwidth
    assert unrelated(quiet, 4, 0).devices != related(quiet, 4, 0).devices


def test_clusters_are_what_they_have_always_been():
    """Figures of clusters can be compared with those of earlier releases."""
    fleet = FLEETS[CLUSTER](GRAPH, 4, 0)
    speeds = [0.870639794, 0.694171264, 1.72063342, 0.830266673]
    assert [device.speed for device in fleet.devices] == pytest.approx(speeds)
    assert fleet.bandwidth[0] == pytest.approx((100.0, 142.301126, 107.118166, 149.800089))
    assert all(not device.paces for device in fleet.devices)
