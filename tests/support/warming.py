"""Give a session orders with needs, let it load, and hear what it says."""

from agents.actions import Say
from protocol.types import (
    Succeeded,
)
from tests.support.agents import A, offer, pin, request

MODEL = pin().resource


def give(session, order, now=0.0, **options):
    actions = session.order(request(order, **options), now)
    session.check()
    return actions


def load(session, now, resource=MODEL, amount=None):
    actions = session.warming.loaded(resource, amount, now)
    session.check()
    return actions


def run(session, order, start, end, **options):
    """Let an attempt, whose needs are warm, come to its end."""
    give(session, order, start, **options)
    assert session.begins(order.attempt, start) is None
    return session.finished(order.attempt, Succeeded(), end)


def warm(session, now=0.0, **changes):
    """Have the model loaded by attempt `a`, which ends at `now`."""
    give(session, offer(pins=(pin(**changes),)))
    load(session, 0.0)
    session.begins(A, 0.0)
    return session.finished(A, Succeeded(), now)


def said(actions):
    return [action.reply for action in actions if isinstance(action, Say)]
