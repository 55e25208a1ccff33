"""What can happen in the world of `delivery`: a table of actions, each with what may follow."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from tests.model.delivery import (
    hear,
    heartbeat,
    lost,
    obey,
    put,
    say,
    settle,
    stage,
    survived,
)
from tests.model.words import (
    DEVICES,
    LIVE,
    OVER,
    RUNS,
    Attempt,
    Device,
    Held,
    Message,
    Order,
    Phase,
    Stage,
    State,
    Step,
    Task,
    View,
    World,
)


def _roles(s: State) -> Iterator[tuple[str, View]]:
    yield "owner", s.owner
    if s.old is not None:
        yield "old", s.old


def _told(w: World, s: State, role: str, view: View, sends: Iterable[Message] = ()) -> State:
    """Commit what a coordinator decided, and send what follows."""
    sent = s.sent.union(sends)
    if role == "owner":
        return s._replace(owner=view, journal=view, sent=sent)
    if view != s.old and w.rules.one_journal:
        return s._replace(old=None)
    return s._replace(old=view, sent=sent)


def _done(w: World, s: State, name: int, device: Device, sends: Iterable[Message] = ()) -> State:
    """Write the ledger, start skills, and send what follows."""
    replies = [each for each in sends if not isinstance(each, Order)]
    starts = len([*sends]) - len(replies) if w.once else 0
    return s._replace(
        devices=put(s.devices, name, value=device),
        sent=s.sent.union(replies),
        starts=s.starts + starts,
    )


@cache
def _in_order(sent: frozenset[Message]) -> list[Message]:
    """Return messages in an order that does not depend on hashes."""
    return sorted(sent, key=lambda message: (type(message).__name__, message))


def _concerned(s: State) -> set[int]:
    """Return the devices that an attempt was made for; what befalls others tells nothing."""
    return {each.device for _, view in _roles(s) for each in view.attempts}


def deliver(w: World, s: State) -> Iterator[Step]:
    """Let anything that was ever sent arrive; it may arrive again."""
    for message in _in_order(s.sent):
        if isinstance(message, Order):
            device, sends = obey(w, s.devices[message.device], message)
            yield (message,), _done(w, s, message.device, device, sends)
            continue
        for role, view in _roles(s):
            heard, sends = hear(w, view, message)
            after = _told(w, s, role, heard, sends)
            if role == "owner" and not w.rules.durable_first:
                after = after._replace(journal=s.journal)
            yield (role, message), after


def hello(w: World, s: State) -> Iterator[Step]:
    """Let a coordinator ask a device what it holds; the answer, and its results, are sent.

    Of several answers of one life of a device only the newest still arrives.
    """
    for role, view in _roles(s):
        for name in sorted(_concerned(s)):
            device = s.devices[name]
            started = (n for n, each in enumerate(view.attempts) if each.stage is Stage.STARTED)
            asked, held, sends = tuple(started), list[int](), set[Message]()
            if view.epoch >= device.epoch or not w.rules.epochs:
                device = device._replace(epoch=max(device.epoch, view.epoch))
                for attempt, hold in enumerate(device.holds):
                    if hold is None or hold.phase in {Phase.ACKED, Phase.REFUSED}:
                        continue
                    held.append(attempt)
                    device, said = say(w, device, name, attempt)
                    sends |= said if hold.phase not in RUNS else set()
            sends.add(Held(name, device.life, view.epoch, tuple(held), asked))
            told = (name, device.life)
            rest = (m for m in s.sent if not (isinstance(m, Held) and (m.device, m.life) == told))
            if w.rules.hellos and view.task not in OVER:
                quiet = s._replace(sent=frozenset(rest))
                yield (role, name), _done(w, quiet, name, device, sends)


def beat(w: World, s: State) -> Iterator[Step]:
    """Let a heartbeat arrive, of this life of a device or late of one before."""
    for role, view in _roles(s):
        for name, device in enumerate(s.devices):
            for life in range(1, device.life + 1):
                yield (role, name, life), _told(w, s, role, heartbeat(w, view, name, life))


def place(w: World, s: State) -> Iterator[Step]:
    """Let a coordinator make an attempt on a device that it thinks free, and offer it."""
    for role, view in _roles(s):
        if view.task is not Task.READY:
            continue
        charged = {each.device for each in view.attempts if each.stage is not Stage.ENDED}
        for name in DEVICES:
            if view.online[name] and name not in charged and len(view.attempts) < w.attempts:
                made = Attempt(name, view.lives[name], Stage.OFFERED)
                after = view._replace(task=Task.ACTIVE, attempts=(*view.attempts, made))
                offer = Order("offer", len(view.attempts), name, view.epoch, made.life)
                yield (role, name), _told(w, s, role, after, {offer})


def repeat(w: World, s: State) -> Iterator[Step]:
    """Let a coordinator offer again what nobody answered."""
    for role, view in _roles(s):
        for name, each in enumerate(view.attempts):
            if each.stage is Stage.OFFERED:
                offer = Order("offer", name, each.device, view.epoch, each.life)
                yield (role, name), _told(w, s, role, view, {offer})


def miss(w: World, s: State) -> Iterator[Step]:
    """Let a coordinator miss a device's heartbeats: what it did not take is moved at once."""
    for role, view in _roles(s):
        charged = {each.device for each in view.attempts if each.stage in LIVE}
        for name in sorted(charged):
            if not view.online[name]:
                continue
            after = view._replace(online=put(view.online, name, value=False))
            for n, each in enumerate(view.attempts):
                if each.device == name and each.stage is Stage.OFFERED and not w.once:
                    after = lost(w, stage(after, n, Stage.LAPSED))
            yield (role, name), _told(w, s, role, after)


def lapse(w: World, s: State) -> Iterator[Step]:
    """Let the leases of a device that is away be over, for a coordinator."""
    for role, view in _roles(s):
        for name in DEVICES:
            live = [
                n
                for n, each in enumerate(view.attempts)
                if each.device == name and each.stage in LIVE
            ]
            holds = s.devices[name].holds
            leased = any((hold := holds[n]) and hold.phase is Phase.RUNNING for n in live)
            if view.online[name] or not live or (leased and w.rules.leases_in_order):
                continue
            after = view
            for n in live:
                after = lost(w, stage(after, n, Stage.LAPSED))
            yield (role, name), _told(w, s, role, after)


def restart(w: World, s: State) -> Iterator[Step]:
    """Let the coordinator crash, and start again from the journal."""
    if s.journal.epoch < w.epochs and s.journal.task not in OVER:
        view = s.journal._replace(epoch=s.journal.epoch + 1)
        yield (), s._replace(journal=view, owner=view)


def adopt(w: World, s: State) -> Iterator[Step]:
    """Let another coordinator take over from the journal while the owner lives on."""
    for _, after in restart(w, s):
        yield (), after._replace(old=s.owner)


def announce(w: World, s: State) -> Iterator[Step]:
    """Let a device say that an attempt has started."""
    for name, n, _ in _running(s):
        yield (name, n), _done(w, s, name, *say(w, s.devices[name], name, n))


def finish(w: World, s: State) -> Iterator[Step]:
    """Let a skill come to its end; what was told to stop may still succeed."""
    for name, n, hold in _running(s):
        ends = (Phase.DONE, Phase.LOST) if hold.phase is Phase.STOPPING else (Phase.DONE,)
        for end in ends:
            over = hold._replace(phase=end, recorded=w.rules.result_first)
            device = settle(s.devices[name], n, over)
            yield (name, n, end.name), _done(w, s, name, *say(w, device, name, n))


def expire(w: World, s: State) -> Iterator[Step]:
    """Let an attempt's lease lapse on its device: `once` is told to stop, `pure` goes on."""
    for name, n, hold in _running(s):
        if hold.phase is Phase.RUNNING and hold.recorded:
            over = hold._replace(phase=Phase.STOPPING if w.once else Phase.LAPSED)
            yield (name, n), _done(w, s, name, settle(s.devices[name], n, over))


def crash(w: World, s: State) -> Iterator[Step]:
    """Let an agent crash, and start again from its ledger."""
    if not s.crashes:
        return
    for name in sorted(_concerned(s)):
        device = s.devices[name]
        after = device._replace(floor=device.noted, holds=tuple(map(survived, device.holds)))
        yield (name,), _done(w, s, name, after)._replace(crashes=s.crashes - 1)


def lose_disk(w: World, s: State) -> Iterator[Step]:
    """Let an agent crash and lose its ledger."""
    if not s.crashes:
        return
    for name in sorted(_concerned(s)):
        device = s.devices[name]
        after = Device(life=device.life + w.rules.new_life, holds=(None,) * w.attempts)
        yield (name,), _done(w, s, name, after)._replace(crashes=s.crashes - 1)


def _running(s: State) -> Iterator[tuple[int, int, object]]:
    for name, device in enumerate(s.devices):
        for n, hold in enumerate(device.holds):
            if hold is not None and hold.phase in RUNS:
                yield name, n, hold


ACTIONS: Mapping[str, Callable[[World, State], Iterator[Step]]] = {
    each.__name__: each
    for each in (
        deliver, hello, beat, place, repeat, miss, lapse, restart, adopt,
        announce, finish, expire, crash, lose_disk,
    )
}  # fmt: skip
CALM = ("deliver", "hello", "beat", "place", "repeat", "lapse", "announce", "finish", "expire")
"""What happens when nothing fails: by these alone every task must come to an end."""


def steps(
    w: World, s: State, names: Iterable[str] = tuple(ACTIONS), *, idle: bool = False
) -> Iterator[Step]:
    """Return every step, with its name and what it concerns; `idle`: also what changes nothing."""
    for name in names:
        for what, after in ACTIONS[name](w, s):
            if idle or after != s:
                yield (name, *what), after
