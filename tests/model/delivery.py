"""The delivery protocol on paper: what a device and a coordinator do with what they hear.

One task, two devices, two coordinators, a hostile network: small enough to be explored whole
(`explore`), and close enough to the code to be played on it (`replay`). Everything that decides is
here; nothing here is shared with the code. `words` says what the world is made of, `actions` what
can happen in it. The world's `Rules` are the promises that the protocol rests on: with any one
broken some property must fail.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tests.model.words import (
    LIVE,
    OVER,
    RUNS,
    SAID,
    Device,
    Held,
    Hold,
    Message,
    Order,
    Phase,
    Report,
    Stage,
    Task,
    View,
    World,
)

Told: TypeAlias = tuple[View, set[Message]]
Done: TypeAlias = tuple[Device, set[Message]]


# Devices


def obey(w: World, device: Device, order: Order) -> Done:
    """Let a device take an order."""
    fenced = w.rules.ack_epochs if order.kind == "ack" else w.rules.epochs
    if fenced and order.epoch < device.epoch:
        return device, set()
    elsewhere = order.kind == "offer" and order.life != device.life
    if elsewhere and w.rules.offers_name_life:
        return device, set()
    device = device._replace(epoch=max(order.epoch, device.epoch))
    return ORDERS[order.kind](w, device, order)


def _offer(w: World, device: Device, order: Order) -> Done:
    hold = device.holds[order.attempt]
    if hold is not None and w.rules.repeats:
        return say(w, device, order.device, order.attempt)
    busy = any(each and each.phase in RUNS for each in device.holds)
    late = w.rules.floors and (order.epoch, order.attempt + 1) <= device.floor
    if late or busy:
        return _bury(w, device, order)
    hold = Hold(Phase.RUNNING, order.epoch, recorded=w.once and w.rules.row_first)
    return settle(device, order.attempt, hold), {order._replace(kind="start")}


def _refuse(w: World, device: Device, order: Order) -> Done:
    if device.holds[order.attempt] is not None:
        return say(w, device, order.device, order.attempt)
    return _bury(w, device, order)


def _cancel(w: World, device: Device, order: Order) -> Done:
    hold = device.holds[order.attempt]
    if hold is None or hold.phase not in RUNS:
        return _refuse(w, device, order)
    return settle(device, order.attempt, hold._replace(phase=Phase.STOPPING)), set()


def _ack(w: World, device: Device, order: Order) -> Done:
    hold = device.holds[order.attempt]
    if hold is None or hold.phase not in {Phase.DONE, Phase.LOST}:
        return device, set()
    epoch = device.epoch if w.rules.floor_epochs else hold.epoch
    noted = max(device.noted, (epoch, order.attempt + 1))
    device = settle(device, order.attempt, Hold(Phase.ACKED, hold.epoch, recorded=True))
    return device._replace(noted=noted), set()


ORDERS: Mapping[str, Callable[[World, Device, Order], Done]] = {
    "offer": _offer,
    "refuse": _refuse,
    "cancel": _cancel,
    "ack": _ack,
}


def say(w: World, device: Device, name: int, attempt: int) -> Done:
    """Have a device say how an attempt stands; its row is written first."""
    hold = device.holds[attempt]
    assert hold is not None
    if hold.phase in RUNS and w.rules.row_first:
        device = settle(device, attempt, hold._replace(recorded=True))
    return device, {Report(SAID.get(hold.phase, "started"), attempt, name, device.life)}


def _bury(w: World, device: Device, order: Order) -> Done:
    report = Report("refused", order.attempt, order.device, device.life)
    if w.rules.tombstones:
        hold = Hold(Phase.REFUSED, order.epoch, recorded=True)
        device = settle(device, order.attempt, hold)
    return device, {report}


def settle(device: Device, attempt: int, hold: Hold | None) -> Device:
    """Have a device remember something of an attempt."""
    return device._replace(holds=put(device.holds, attempt, value=hold))


def survived(hold: Hold | None) -> Hold | None:
    """Return what a crash leaves of an attempt where the ledger is kept."""
    if hold is None or not hold.recorded or hold.phase is Phase.ACKED:
        return None
    return hold._replace(phase=Phase.LOST) if hold.phase in RUNS else hold


# Coordinators


def hear(w: World, view: View, message: Report | Held) -> Told:
    """Let a coordinator take a reply."""
    if isinstance(message, Held):
        return _held(w, view, message)
    if message.attempt >= len(view.attempts):
        return view, _acked(view, message)  # nobody wants it
    attempt = view.attempts[message.attempt]
    other = attempt.device != message.device or attempt.life != message.life
    if other and w.rules.reports_name_life:
        return view, set()
    if message.what != "started":
        return _conclude(w, view, message)
    if attempt.stage is Stage.OFFERED:
        view = stage(view, message.attempt, Stage.STARTED)
    return view, set()


def _conclude(w: World, view: View, report: Report) -> Told:
    sends, name = _acked(view, report), report.attempt
    attempt = view.attempts[name]
    if attempt.stage is Stage.ENDED:
        return _doubted(w, view, report, sends)
    ended = stage(view, name, Stage.ENDED)
    if view.task in OVER:
        return ended, sends
    if report.what == "done":
        return _succeed(w, ended, sends)
    if w.once and report.what == "lost":
        sends = set()  # its device keeps what it may be asked about
    speaks = attempt.stage in LIVE or (view.task is Task.UNKNOWN and w.once)
    if not speaks:
        return ended, sends
    if report.what == "refused" and attempt.seen and w.once:
        return ended._replace(task=Task.FAILED), sends  # no promise that nothing happened
    return lost(w, ended, known=report.what == "refused"), sends


def _doubted(w: World, view: View, report: Report, sends: set[Message]) -> Told:
    """Take the late word on an attempt that is over, where its outcome is unknown."""
    if not w.once or view.task is not Task.UNKNOWN or report.attempt != len(view.attempts) - 1:
        return view, sends
    if report.what == "lost":
        return view, set()
    settled = Task.SUCCEEDED if report.what == "done" else Task.FAILED
    return view._replace(task=settled), sends


def _succeed(w: World, view: View, sends: set[Message]) -> Told:
    for name, other in enumerate(view.attempts):
        if other.stage in LIVE and w.rules.one_live:
            view = stage(view, name, Stage.LAPSED)
            sends.add(Order("cancel", name, other.device, view.epoch))
    return view._replace(task=Task.SUCCEEDED), sends


def _held(w: World, view: View, answer: Held) -> Told:
    if answer.epoch != view.epoch:
        return view, set()
    view, known = welcome(w, view, answer.device, answer.life)
    sends = set[Message]()
    if not known:
        return view, sends
    for name, attempt in enumerate(view.attempts):
        if attempt.device != answer.device or attempt.stage is Stage.ENDED:
            continue
        order = Order("", name, answer.device, view.epoch)
        match name in answer.held, attempt.stage:
            case True, _ if view.task in OVER:
                sends.add(order._replace(kind="cancel"))
            case True, Stage.OFFERED:
                view = stage(view, name, Stage.STARTED)
            case False, Stage.OFFERED:
                sends.add(order._replace(kind="offer", life=attempt.life))
            case False, Stage.LAPSED:
                sends.add(order._replace(kind="refuse"))
            case False, Stage.STARTED if name in answer.asked or not w.rules.asks_by_time:
                view = lost(w, stage(view, name, Stage.ENDED))
    return view, sends


def heartbeat(w: World, view: View, device: int, life: int) -> View:
    """Take a heartbeat. It does not show who lives now: the answer to a hello does."""
    if life != view.lives[device] and w.rules.beats_prove_nothing:
        return view
    return welcome(w, view, device, life)[0]


def welcome(w: World, view: View, device: int, life: int) -> tuple[View, bool]:
    """Take a sign of life; what another incarnation held is lost with it."""
    if life < view.lives[device] and w.rules.lives_end:
        return view, False  # lives are numbered here; a coordinator tells by when it asked
    if life != view.lives[device]:
        for name, attempt in enumerate(view.attempts):
            if attempt.device == device and attempt.stage is not Stage.ENDED:
                view = stage(view, name, Stage.ENDED)
                view = lost(w, view) if attempt.stage in LIVE else view
    return view._replace(
        online=put(view.online, device, value=True), lives=put(view.lives, device, value=life)
    ), True


def lost(w: World, view: View, *, known: bool = False) -> View:
    """Go on without an attempt that was live; `known`: it never started."""
    if w.once and not known and w.rules.once_is_lost:
        return view._replace(task=Task.UNKNOWN)
    more = len(view.attempts) < w.attempts
    return view._replace(task=Task.READY if more else Task.FAILED)


def stage(view: View, name: int, to: Stage) -> View:
    """Move an attempt on."""
    attempt = view.attempts[name]
    seen = to is Stage.STARTED or (to is Stage.LAPSED and attempt.seen)
    attempts = put(view.attempts, name, value=attempt._replace(stage=to, seen=seen))
    return view._replace(attempts=attempts)


def _acked(view: View, report: Report) -> set[Message]:
    if report.what == "started":
        return set()
    return {Order("ack", report.attempt, report.device, view.epoch)}


def put(values, place, *, value):
    """Return a tuple with one value replaced."""
    return (*values[:place], value, *values[place + 1 :])
