from agents.alarms import Alarms
from agents.attempt import LiveAttempt
from protocol.types import Effect
from tests.support.agents import A, offer, request


def test_progress_of_a_long_attempt_leaves_nothing_behind():
    order = offer(limit_s=1e6)
    live = LiveAttempt(order, Effect.PURE, request(order), 0.0, reconciles=False)
    alarms = Alarms({A: live})
    live.begin(0.0)
    for n in range(10_000):
        live.say_soon(n)
        alarms.arm(A, live)
        for due in alarms.due(n + 0.5):
            due.said(n + 0.5)
    assert len(vars(alarms)["_heap"]) < 100
    assert alarms.next() == 1e6
