import json
from dataclasses import asdict

import pytest

from benchmarks.frame import BenchmarkError, Figures, Options, Row
from benchmarks.overhead import mqtt, processes
from benchmarks.overhead.mqtt import Effort, measure
from benchmarks.overhead.mqtt_roles import Coordinate, Device, main
from benchmarks.overhead.processes import RoleError, first_line
from protocol.transport.broker import BrokerError, BrokerProcess


@pytest.mark.broker
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("installed_mosquitto")
async def test_both_sides_are_measured_in_each_round(monkeypatch):
    monkeypatch.setattr(mqtt, "QUICK", Effort(rounds=1, tasks=64, chain=8, bare_s=0.2))
    monkeypatch.setattr(mqtt, "DEVICES", 1)

    items = [item async for item in measure(Options(quick=True))]

    (figures,) = [item.values for item in items if isinstance(item, Figures)]
    (row,) = [item.values for item in items if isinstance(item, Row)]
    assert figures == {f"mqtt.{name}": row[name] for name in row if name != "part"}
    assert all(value > 0 for value in figures.values())
    assert figures["mqtt.messages_per_task"] <= 4


async def test_without_a_broker_to_start_one_line_says_what_to_install(monkeypatch):
    class Missing(BrokerProcess):
        async def __aenter__(self):
            raise BrokerError("install it")

    monkeypatch.setattr(processes, "BrokerProcess", Missing)

    with pytest.raises(BenchmarkError, match="install it"):
        await anext(measure(Options(quick=True)))


@pytest.mark.real_time
async def test_a_role_that_ends_early_leaves_its_last_word():
    with pytest.raises(RoleError, match=r"no\.such\.module ended early: .*No module"):
        async with first_line("no.such.module", {}):
            pass


@pytest.mark.parametrize(
    "role",
    [
        Device("127.0.0.1", 1, folder="{folder}", unit="unit", device="d0", slots=1),
        Coordinate("127.0.0.1", 1, unit="unit", devices=("d0",), shape="chain", tasks=2),
    ],
)
def test_a_role_without_a_broker_exits_with_one_line(role, tmp_path):
    settings = json.dumps(asdict(role)).replace("{folder}", str(tmp_path))

    with pytest.raises(SystemExit, match=r"no MQTT broker answers at 127\.0\.0\.1:1"):
        main(settings)
