import csv
import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from benchmarks.demo.check import causes_in
from benchmarks.demo.fleet import (
    DAY_S,
    FLEET,
    MARGIN_S,
    SERVERS,
    VICTIM,
    files_of,
    furnish,
    furnish_all,
)

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("fleet")
    furnish_all(root, seed=0, now=NOW, port=1883)
    return root


def contents(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_same_seed_writes_the_same_files_and_another_one_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        furnish(tmp_path / name, FLEET[0], seed=seed, now=NOW)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_every_device_has_files_of_its_own_and_every_server_its_errors(root):
    for host in FLEET:
        folder = files_of(root, host.id)
        assert json.loads((folder / "facts.json").read_text())["host"] == host.id
        with (folder / "orders.csv").open() as file:
            assert len(list(csv.DictReader(file))) == 200
    causes = [causes_in(files_of(root, server), since=NOW - DAY_S) for server in SERVERS]
    assert all(30 < each.total() < 200 for each in causes)
    assert len(sum(causes, Counter())) == 7


def test_no_error_is_near_the_border_of_the_last_day(root):
    for server in SERVERS:
        folder = files_of(root, server)
        early = causes_in(folder, since=NOW - DAY_S - MARGIN_S + 1)
        assert early == causes_in(folder, since=NOW - DAY_S + MARGIN_S - 1)


def test_the_victim_has_the_most_to_search(root):
    sizes = {each: (files_of(root, each) / "logs/trace.log").stat().st_size for each in SERVERS}

    assert max(sizes, key=sizes.__getitem__) == VICTIM
