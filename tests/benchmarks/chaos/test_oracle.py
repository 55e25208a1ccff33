"""The oracle on files written by hand: what is well is passed, and each wrong is found."""

import pytest

from benchmarks.chaos.effects import parse
from benchmarks.chaos.evidence import Evidence, FinalState, Kill, Success, Told
from benchmarks.chaos.oracle import figures, recovery_times, violations
from benchmarks.chaos.schedule import Target, Way

GOOD = """\
start compute c1 1.0
end compute c1 1.2
start pay p1 1.3
end pay p1 1.5
start print_once o1 1.6
"""


def written(text):
    """Read `mark task attempt at` as lines of the one run."""
    row = '{{"mark":"{0}","run":"r","task":"{1}","attempt":"{2}","token":1,"pid":9,"at":{3}}}\n'
    return list(parse("".join(row.format(*line.split()) for line in text.splitlines())))


def told():
    """Return what was told of a run: two tasks and a join succeeded, a third is unknown."""
    return Told(
        "chaos 0",
        run="r",
        status="failed",
        placed={"c1": 1, "p1": 3, "o1": 5},
        successes={"compute": Success("c1", 2, 1.25), "pay": Success("p1", 4, 1.55)},
        unknown={"print_once"},
        news=[(1.25, "compute"), (1.55, "pay"), (3.0, "print_once")],
        tasks={
            "compute": FinalState("succeeded", "compute", "", executes=True),
            "pay": FinalState("succeeded", "pay", "", executes=True),
            "join": FinalState("succeeded", "compute", "", executes=False),
            "print_once": FinalState(
                "failed", "print_once", "its outcome is unknown", executes=True
            ),
        },
    )


def evidence(text=GOOD, *, of=None, listed=("r",), kills=()):
    known = None if listed is None else {"chaos 0": listed}
    return Evidence(written(text), [of or told()], known, kills)


def changed(**attributes):
    one = told()
    for name, value in attributes.items():
        setattr(one, name, value)
    return one


def kill(at, held, target=Target.AGENT):
    return Kill(at, "agent-1", target, Way.KILL, 1.0, tuple(held))


def test_what_is_well_has_no_violation():
    assert violations(evidence()) == ()


def test_second_try_that_began_before_the_first_was_known_is_repeated_work_alone():
    again = evidence(
        GOOD + "start compute c2 1.24\nstopped compute c2 1.3\n",
        of=changed(placed={**told().placed, "c2": 1}),
    )

    assert violations(again) == ()
    assert figures(again)["repeated_work"] == 0.25


@pytest.mark.parametrize(
    ("wrong", "kind", "detail"),
    [
        (evidence(GOOD.replace("end compute c1 1.2\n", "")), "lost", "by c1, of whom"),
        (evidence(GOOD.replace("compute c1", "compute c0")), "lost", "by c1, of whom"),
        (evidence(GOOD.replace("start pay p1 1.3\n", "")), "lost", "by p1, of whom"),
        (evidence(of=changed(successes={})), "lost", "by nobody"),
        (
            evidence(of=changed(tasks={"pay": FinalState("skipped", "pay", "", executes=True)})),
            "lost",
            "taken back|now it is skipped",
        ),
        (
            evidence(of=changed(unknown=set())),
            "lost",
            "told to have failed, and o1 had its effect",
        ),
        (evidence(listed=()), "lost", "is not listed"),
        (evidence(of=changed(denied="there is no run", tasks={})), "lost", "is denied"),
        (
            evidence(GOOD + "start pay p2 1.4\n", of=changed(placed={**told().placed, "p2": 1})),
            "doubled",
            "a once task was started by p1, p2",
        ),
        (evidence(GOOD + "start print_once o1 1.7\n"), "doubled", "started by o1, o1"),
        (
            evidence(
                GOOD + "start compute c2 1.3\n", of=changed(placed={**told().placed, "c2": 7})
            ),
            "doubled",
            "c2 was placed after c1 had succeeded",
        ),
        (evidence(GOOD + "start compute c1 1.3\n"), "doubled", "again after it had succeeded"),
        (evidence(GOOD + "start compute c9 1.1\n"), "doubled", "c9 was started and never placed"),
        (evidence(listed=("r", "s")), "doubled", "made runs"),
        (evidence(of=changed(tasks={})), "hung", "has not ended"),
        (evidence(of=Told("chaos 0"), listed=()), "hung", "was not accepted"),
        (evidence(listed=None), "hung", "does not list its runs"),
    ],
)
def test_every_wrong_is_found(wrong, kind, detail):
    found = violations(wrong)

    assert kind in {each.kind for each in found}
    assert any(part in each.detail for part in detail.split("|") for each in found)
    assert figures(wrong)[kind] > 0


def test_shares_are_of_tasks():
    counted = figures(evidence(kills=[kill(1.1, written(GOOD)[:1]), kill(2.0, [])]))

    assert counted["completed"] == 0.75
    assert counted["completed_runs"] == 0.0
    assert counted["unknown"] == 0.25
    assert counted["inflight_kills"] == 0.5
    assert counted["repeated_work"] == 0.0
    assert (counted["kills"], counted["runs"], counted["tasks"]) == (2, 1, 4)


def test_unknown_outcome_that_was_found_out_later_is_not_unknown():
    settled = {**told().successes, "print_once": Success("o1", 9, 4.0)}

    assert figures(evidence(of=changed(successes=settled)))["unknown"] == 0.0


def test_recovery_lasts_until_all_that_was_held_has_moved_on():
    c1, _, _, _, o1 = written(GOOD)
    restarted = GOOD + "start compute c2 2.5\n"
    cases = [
        kill(1.1, [c1]),  # its success is journaled at 1.25
        kill(1.7, [o1]),  # it is told to be unknown at 3.0
        kill(1.7, [c1, o1]),  # started anew at 2.5
        kill(3.5, [o1]),  # nothing more is heard of it
        kill(1.0, []),
    ]

    times = recovery_times(evidence(restarted, kills=cases))

    assert times == [pytest.approx(0.15), pytest.approx(1.3), pytest.approx(1.3), None, None]
    measured = figures(evidence(restarted, kills=cases[:1]))
    assert measured["recovery_p50_s"] == measured["recovery_p95_s"] == pytest.approx(0.15)


def test_without_anything_held_there_is_no_recovery_time():
    assert "recovery_p50_s" not in figures(evidence())
