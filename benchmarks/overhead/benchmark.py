"""The benchmark `overhead`: its parts and its goals. The names of the figures are a contract."""

from benchmarks.frame import Benchmark, Goal
from benchmarks.overhead import engine, importing, inprocess, mqtt
from benchmarks.overhead.peers import measure as peers

GOALS: dict[str, Goal] = {
    **{
        f"engine.{shape}.{tasks}.cpu_ms": ("<=", 0.10)
        for shape in ("independent", "chain", "layered")
        for tasks in (1_000, 10_000, 100_000)
    },
    **{f"engine.devices.{devices}.cpu_ms": ("<=", 0.10) for devices in (10, 100, 1_000)},
    # The largest distance from the smallest size's cost, as a share of it.
    **{
        f"engine.{along}.drift": ("<=", 0.25)
        for along in ("independent", "chain", "layered", "devices")
    },
    **{f"inprocess.{shape}.1000.wall_ms": ("<=", 0.30) for shape in ("independent", "chain")},
    "mqtt.rate_ratio": (">=", 0.60),
    "mqtt.hop_ratio": ("<=", 1.5),
    "mqtt.messages_per_task": ("<=", 4),
    "import.cpu_s": ("<=", 0.5),
}

BENCHMARK = Benchmark(
    name="overhead",
    goals=GOALS,
    parts=(importing.measure, inprocess.measure, mqtt.measure, peers.measure, engine.measure),
    words=peers.OPTIONS,
)

__all__ = ["BENCHMARK", "GOALS"]
