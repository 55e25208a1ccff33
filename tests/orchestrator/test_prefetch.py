"""Hints on their way to a device, and what it says of its fetches on the way back."""

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.outbox import Outbox
from orchestrator.wire import event_of
from protocol.codec import decode_order
from protocol.messages import Phase, Prefetch, Report
from protocol.topics import Address
from protocol.types import AttemptId, DeviceCard, DeviceId, RunId, Succeeded

LAPTOP, RUN = DeviceId("laptop"), RunId("r")
REFERENCE = {"$artifact": {"sha256": "ab", "size_bytes": 70_000}}


def sent(*, extension):
    published = []
    outbox = Outbox(
        Address("muster", "default", "coordinator"),
        publish=published.append,
        card=lambda device: DeviceCard(device, extension=extension),
        unsayable=lambda _, why: published.append(why),
        clock=lambda: 0.0,
    )
    outbox.perform(c.Prefetch(LAPTOP, RUN, 3, "work", (REFERENCE,)))
    outbox.flush()
    return published


def test_a_hint_goes_to_a_device_with_our_extension_and_to_no_other():
    (message,) = sent(extension=True)
    assert message.topic.endswith("/laptop")
    assert decode_order(message).order == Prefetch(RUN, 3, "work", (REFERENCE,))
    assert sent(extension=False) == []


def test_what_a_device_fetched_reaches_the_engine():
    report = Report(
        AttemptId("a"),
        Phase.FINISHED,
        outcome=Succeeded(1),
        run_s=2.0,
        fetched_bytes=70_000,
        fetch_s=0.5,
    )
    event = event_of(report, LAPTOP)
    assert isinstance(event, e.AttemptFinished)
    assert (event.run_s, event.fetched_bytes, event.fetch_s) == (2.0, 70_000, 0.5)
