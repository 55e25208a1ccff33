import pytest

from benchmarks.demo.check import check

NOON = 1772366400.0  # 2026-03-01T12:00Z
LOG = """\
2026-02-28T11:00:00Z ERROR disk 1 is full
2026-03-01T09:00:00Z INFO retried after errors
2026-03-01T09:00:01Z ERROR disk 2 is full
2026-03-01T09:00:02.500Z [CRITICAL] heap at 0xa0 is gone
    at work (service.py:88)
2026-03-01 09:00:03+00:00 FATAL: disk 3 is full
"""
REPORT = """\
# Errors by cause

## Causes

The most frequent first.

| count | key | items | example |
| --- | --- | --- | --- |
| 3 | disk # is full | web-1: 2, web-2: 1 | disk 2 is full |
| 1 | heap at # is gone | web-1: 1 | heap at 0xa0 is gone |

## Could not be collected

Every device answered.
"""
LOST = "Every device answered.", "| item | reason |\n| --- | --- |\n| web-2 | it was lost |"


@pytest.fixture
def judge(tmp_path):
    """Check a report on two servers, against the last day at noon."""
    for server, log in (("web-1", LOG), ("web-2", LOG.splitlines()[2])):
        (tmp_path / server).mkdir()
        (tmp_path / server / "a.log").write_text(log)

    def judge(report):
        path = tmp_path / "errors.md"
        path.write_text(report)
        servers = {server: tmp_path / server for server in ("web-1", "web-2")}
        return check(path, servers, since=NOON - 86_400)

    return judge


def test_right_report_has_no_problems(judge):
    verdict = judge(REPORT)

    assert verdict.problems == ()
    assert (verdict.errors, verdict.causes, verdict.missing) == (4, 2, {})


def test_server_that_the_report_names_as_missing_is_not_asked_for(judge):
    verdict = judge(REPORT.replace("| 3 |", "| 2 |").replace(", web-2: 1", "").replace(*LOST))

    assert verdict.problems == ()
    assert verdict.missing == {"web-2": "it was lost"}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (("| 3 |", "| 4 |"), "'disk # is full': 4 (web-1: 2, web-2: 1), but the files say"),
        (("web-2: 1", "web-2: 2"), "but the files say"),
        (("heap at", "hope at"), "no cause 'heap at # is gone' in the report"),
        (("heap at", "hope at"), "nothing was logged of 'hope at # is gone'"),
        (LOST, "but the files say"),
        ((LOST[0], LOST[1].replace("it was lost", "")), "web-2 is missing without a reason"),
        ((LOST[0], LOST[1].replace("web-2", "web-9")), "web-9 is no server"),
    ],
)
def test_wrong_report_is_found_out(judge, wrong, problem):
    assert any(problem in each for each in judge(REPORT.replace(*wrong)).problems)


def test_missing_report_is_a_problem(tmp_path):
    (problem,) = check(tmp_path / "errors.md", {}, since=0.0).problems

    assert "no report" in problem
