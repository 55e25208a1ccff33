import random

import pytest

from benchmarks.simulation.faults import ON_THE_WIRE, TABLE, Whom, draw
from benchmarks.simulation.kinds import Fault, Kind
from benchmarks.simulation.lies import lie
from protocol.codec import PartialOutputs, decode_event, decode_reply
from protocol.transport.faults import NetworkFault
from protocol.types import AttemptId, DeviceId, Rejected

LIES = [Kind.FORGED_ATTEMPT, Kind.FOREIGN_RESULT, Kind.CONTRADICTION]
KNOWN = {DeviceId("d0"): [AttemptId("mine")], DeviceId("d1"): [AttemptId("theirs")]}


def test_every_kind_has_one_row_and_every_network_fault_a_kind():
    assert list(TABLE) == list(Kind)
    assert set(ON_THE_WIRE) == set(NetworkFault)


@pytest.mark.parametrize("kind", Kind)
def test_fault_hits_whom_its_row_names(kind):
    row, chance = TABLE[kind], random.Random(0)
    allowed = {
        Whom.ALL: {""},
        Whom.DEVICE: {"d0", "d1"},
        Whom.COORDINATOR: {"coordinator"},
        Whom.ANYONE: {"", "coordinator", "d0", "d1"},
    }[row.whom]
    for _ in range(20):
        fault = draw(chance, kind, at=1.0, devices=["d0", "d1"])
        assert fault.party in allowed
        assert row.lasts_s[0] <= fault.lasts_s <= row.lasts_s[1]


def test_fault_that_met_nothing_has_not_fired():
    fault = Fault(Kind.DROP, "", 0.0, 1.0, 0.5)
    assert not fault.fired
    fault.hits += 1
    assert fault.fired


@pytest.mark.parametrize("kind", LIES)
def test_lie_names_the_attempt_it_is_about_and_never_a_refusal(kind):
    for seed in range(20):
        for message in lie(kind, DeviceId("d0"), KNOWN, random.Random(seed)):
            report = decode_reply(message, PartialOutputs())
            known = {Kind.FOREIGN_RESULT: "theirs", Kind.CONTRADICTION: "mine"}
            assert message.topic.endswith("/d0")
            assert report.attempt == known.get(kind, report.attempt)
            assert not isinstance(report.outcome, Rejected)


def test_false_life_is_a_heartbeat_of_another_incarnation():
    (message,) = lie(Kind.ANOTHER_LIFE, DeviceId("d0"), KNOWN, random.Random(0))
    assert decode_event(message).incarnation.startswith("false-")


def test_device_that_was_given_nothing_has_nothing_to_lie_about():
    assert lie(Kind.CONTRADICTION, DeviceId("d9"), KNOWN, random.Random(0)) == []
    assert lie(Kind.FOREIGN_RESULT, DeviceId("d9"), {}, random.Random(0)) == []
