"""What a schedule must keep, what there is at all, and small problems: no code is shared with it.

`violations` looks at every pair and every start; `possible` tries every active schedule: each
order of placing, each machine, each activity as early as it goes. For constraints that only an
earlier end can help, one of these is in time if any schedule is.
"""

import math
import random

from orchestrator.planner.checks.schedule import Activity, Machine

TOLERANCE = 1e-9


def violations(activities, machines, placed):
    """Return every constraint that a complete schedule breaks, as (rule, activity)."""
    found = []
    for n, (each, here) in enumerate(zip(activities, placed, strict=True)):
        seconds = dict(each.durations).get(here.machine)
        if seconds is None or not math.isclose(here.finish - here.start, seconds):
            found.append(("duration", n))
            continue
        if here.start < each.release or here.finish > each.due:
            found.append(("window", n))
        if any(placed[p].finish > here.start for p in each.predecessors):
            found.append(("precedence", n))
        if any(_overlap(here, window) for window in machines[here.machine].away):
            found.append(("downtime", n))
        found += [(rule, n) for rule in _crowded(activities, machines, placed, n)]
    return found


def _crowded(activities, machines, placed, n):
    """Judge the moment at which an activity starts: use is at its highest at some start."""
    here, each = placed[n], activities[n]
    now = [k for k, p in enumerate(placed) if p.start <= here.start < p.finish]
    beside = [k for k in now if placed[k].machine == here.machine]
    machine = machines[here.machine]
    if len(beside) > machine.slots:
        yield "slots"
    for kind in _kinds(each):
        if _used(activities, beside, kind) > machine.capacity.get(kind, 0.0) + TOLERANCE:
            yield "capacity"
    if any(set(activities[k].exclusive) & set(each.exclusive) for k in now if k != n):
        yield "exclusive"


def _kinds(activity):
    return {kind for kind, *_ in (*activity.demand, *activity.shared)}


def _used(activities, beside, kind):
    """Add up what these use of a kind; of those with one key only the largest counts."""
    whole, keys = 0.0, {}
    for n in beside:
        whole += sum(amount for name, amount in activities[n].demand if name == kind)
        for name, amount, key in activities[n].shared:
            if name == kind:
                keys[key] = max(amount, keys.get(key, 0.0))
    return whole + sum(keys.values())


def _overlap(placed, window):
    return placed.start < window[1] and window[0] < placed.finish


def possible(activities, machines):
    """Tell whether any schedule keeps everything, by trying all active ones."""
    return _search(activities, machines, (), set())


def _search(activities, machines, placed, seen):
    """`placed` are (activity, machine, start, finish), sorted."""
    if len(placed) == len(activities):
        return True
    if placed in seen:
        return False
    seen.add(placed)
    done = {n: finish for n, _, _, finish in placed}
    for n, each in enumerate(activities):
        if n in done or any(p not in done for p in each.predecessors):
            continue
        ready = max([each.release, *(done[p] for p in each.predecessors)])
        for machine, seconds in each.durations:
            start = _first(activities, machines, placed, n, option=(machine, seconds), ready=ready)
            if start is not None and start + seconds <= each.due:
                more = tuple(sorted((*placed, (n, machine, start, start + seconds))))
                if _search(activities, machines, more, seen):
                    return True
    return False


def _first(activities, machines, placed, n, *, option, ready):
    """Return the first start that fits; it is `ready`, or something ends there."""
    machine, seconds = option
    ends = [finish for *_, finish in placed] + [end for _, end in machines[machine].away]
    for start in sorted({ready, *(end for end in ends if end > ready)}):
        new = n, machine, start, start + seconds
        if start < math.inf and _fits(activities, machines, placed, new):
            return start
    return None


def _fits(activities, machines, placed, new):
    n, machine, start, end = new
    if any(start < b and a < end for a, b in machines[machine].away):
        return False
    each = activities[n]
    near = [p for p in placed if start < p[3] and p[2] < end]
    if any(set(activities[k].exclusive) & set(each.exclusive) for k, *_ in near):
        return False
    for moment in (start, *(p[2] for p in near if p[2] > start)):
        here = [k for k, m, a, b in near if m == machine and a <= moment < b]
        if len(here) >= machines[machine].slots:
            return False
        for kind in _kinds(each):
            if _used(activities, [*here, n], kind) > machines[machine].capacity.get(kind, 0.0):
                return False
    return True


def problem(seed, *, most=6):
    """Draw a small problem in which every kind of constraint may bind; whole seconds."""
    chance = random.Random(seed)
    machines = [_machine(chance, f"m{n}") for n in range(chance.randint(1, 3))]
    count = chance.randint(2, most)
    horizon = chance.uniform(1.5, 3.0) * count
    activities = [_activity(chance, n, len(machines), horizon) for n in range(count)]
    return [_sharing(random.Random(f"{seed}|{a.name}"), a) for a in activities], machines


def _sharing(chance, activity):
    """Let some of those that need something need it together with others."""
    if not activity.demand or chance.random() < 0.5:
        return activity
    ((kind, amount),) = activity.demand
    return activity._replace(demand=(), shared=((kind, amount, chance.choice("ab")),))


def _machine(chance, name):
    away = ()
    if chance.random() < 0.5:
        start = chance.randint(0, 6)
        away = ((float(start), float(start + chance.randint(1, 4))),)
    if chance.random() < 0.04:
        away += ((float(chance.randint(5, 20)), math.inf),)
    return Machine(name, chance.choice([1, 1, 2]), {"gpu": float(chance.randint(1, 4))}, away)


def _activity(chance, n, machines, horizon):
    release = float(chance.randint(0, 4)) if chance.random() < 0.3 else 0.0
    own = release + chance.randint(5, 14) if chance.random() < 0.3 else math.inf
    where = chance.sample(range(machines), chance.randint(1, machines))
    durations = sorted(((m, float(chance.randint(1, 5))) for m in where), key=lambda o: o[1])
    return Activity(
        f"a{n}",
        tuple(durations),
        tuple(p for p in range(n) if chance.random() < 0.2),
        release,
        min(own, float(round(horizon))),
        (("gpu", float(chance.randint(1, 3))),) if chance.random() < 0.4 else (),
        ("arm",) if chance.random() < 0.35 else (),
    )
