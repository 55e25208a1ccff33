import re
from collections import Counter

import pytest

from benchmarks.planner.drive import Cell, outcomes
from benchmarks.planner.fleet import _COMPUTING as COMPUTING
from benchmarks.planner.fleet import SECONDS, Site, _held, _publishing
from benchmarks.planner.requests import cases, shortest_s
from orchestrator.core.edits import AddDependency, AddTask
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.planner.checks.literals import literals

MANY = cases(0, 140)
NUMBER = r"(-?\d+)"


def test_every_category_is_there_and_as_often():
    assert set(Counter(case.category for case in MANY).values()) == {20}
    assert len({case.category for case in MANY}) == 7


def test_requests_differ_and_come_again_with_their_seed():
    assert len({case.text for case in MANY}) == len(MANY)
    assert cases(0, 140) == MANY
    assert cases(1, 140) != MANY


def column(case, path, name):
    [file] = [file for (_, where), file in case.files.items() if where == path]
    return [getattr(line, name) for line in file.lines], file.lines


def told(case):
    """Compute the answer again, from the words alone."""
    text, reads = case.text, re.findall(r"[Rr]ead (\S+)", case.text)
    columns = re.findall(r"(?:up|up its|largest) '(amount|seconds)'", text)
    keeps = re.findall(rf"whose '(\w+)' is at least {NUMBER}", text)
    match case.category:
        case "chain" | "join":
            total = 0
            for path, (by, least) in zip(reads, keeps, strict=True):
                keys, lines = column(case, path, by)
                total += sum(
                    getattr(line, columns[0])
                    for line, key in zip(lines, keys, strict=True)
                    if key >= int(least)
                )
            return [total]
        case "compare":
            first, second = (sum(column(case, path, columns[0])[0]) for path in reads)
            return [first - second]
        case "several":
            pairs = zip(reads, columns, strict=True)
            return [max(column(case, path, by)[0]) for path, by in pairs]
        case "refresh":
            [path] = re.findall(r"refresh (\S+)", text)
            return [max(column(case, path, columns[0])[0])]
        case _:
            value = sum(column(case, reads[0], columns[0])[0])
            for percent in re.findall(rf"by {NUMBER} %", text):
                value += value * int(percent) // 100
            return [value]


@pytest.mark.parametrize("case", MANY[:70], ids=lambda case: f"{case.number}-{case.category}")
def test_the_known_answer_follows_from_the_words_and_the_files(case):
    published = [notice for notice in case.answer if "name" in notice]
    assert [notice["value"] for notice in published] == told(case)
    assert re.findall(r"as '(\S+)' on", case.text) == [notice["name"] for notice in published]
    others = [notice for notice in case.answer if "name" not in notice]
    assert [notice["to"] for notice in others] == re.findall(r"tell (\S+)\.$", case.text)


def test_the_right_plans_come_to_the_known_answers():
    found = outcomes(Cell("none", 0, 3, 28))
    assert [each.status for each in found] == ["succeeded"] * 28
    assert [(each.success, each.completed) for each in found] == [(True, 1.0)] * 28


def test_what_is_expected_is_true_and_stated_by_most():
    stating = 0
    for case in MANY:
        for low, high in re.findall(rf"between {NUMBER} and {NUMBER}", case.text):
            assert any(int(low) <= n["value"] <= int(high) for n in case.answer if "name" in n)
        stating += "should" in case.text
    assert len(MANY) / 2 < stating < len(MANY)


def test_words_carry_literals_and_numbers_that_are_none():
    found = {each.text for case in MANY for each in literals(case.text)}
    assert any(text.endswith(" s") for text in found)
    assert any(text.startswith("/data/") for text in found)
    bare = [case for case in MANY if re.search(r"'amount' is at least \d", case.text)]
    assert bare


def test_the_shortest_time_is_the_longest_chain():
    tasks = [TaskSpec("a", "read"), TaskSpec("b", "keep", {"lines": {"$from": "a"}})]
    edits = [*map(AddTask, tasks), AddTask(TaskSpec("c", "total"))]
    assert shortest_s(edits) == SECONDS["read"] + SECONDS["keep"]
    last = AddDependency(Dependency("b", "c"))
    assert shortest_s([*edits, last]) == SECONDS["read"] + SECONDS["keep"] + SECONDS["total"]


def test_every_skill_declares_what_it_takes():
    site = Site({})
    skills = [*COMPUTING, *_held(site, "d"), *_publishing(site)]
    assert {each.info.name: each.info.estimate_s for each in skills} == SECONDS
