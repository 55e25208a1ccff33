from orchestrator.core.commands import ReleaseRun
from orchestrator.outbox import Outbox
from protocol.codec import decode_order
from protocol.messages import Release
from protocol.topics import Address
from protocol.types import DeviceCard, DeviceId, RunId


def test_a_forgotten_run_is_released_on_its_device():
    published = []
    outbox = Outbox(
        Address("muster", "default", "coordinator"),
        publish=published.append,
        card=DeviceCard,
        unsayable=lambda _, why: published.append(why),
        clock=lambda: 0.0,
    )
    outbox.perform(ReleaseRun(DeviceId("laptop"), RunId("r")))
    outbox.flush()
    (message,) = published
    assert message.topic.endswith("/laptop")
    assert decode_order(message).order == Release((RunId("r"),))
