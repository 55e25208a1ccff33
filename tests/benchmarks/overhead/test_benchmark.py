from benchmarks.overhead.benchmark import BENCHMARK, GOALS


def test_each_engine_size_has_its_goal():
    sizes = [name for name in GOALS if name.startswith("engine.") and name.endswith(".cpu_ms")]

    assert len(sizes) == 12
    assert "engine.layered.100000.cpu_ms" in sizes
    assert "engine.devices.1000.cpu_ms" in sizes


def test_goals_are_those_of_the_benchmark():
    assert BENCHMARK.goals is GOALS
