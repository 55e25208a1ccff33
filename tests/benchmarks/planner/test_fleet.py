import pytest

from agents.skills import BadInputError, BadOutputError, Context, PermanentError
from benchmarks.planner.fleet import (
    _COMPUTING,
    File,
    Line,
    Site,
    _held,
    _publishing,
)

LINES = [Line("bolt", 10, 1), Line("rope", 20, 2), Line("nail", 30, 3)]
PLAIN = [{"item": each.item, "amount": each.amount, "seconds": each.seconds} for each in LINES]
OLD = (Line("lamp", 5, 5),)


async def call(name, args, *, run="r", site=None):
    site = site or Site({})
    skills = {
        each.info.name: each for each in (*_COMPUTING, *_held(site, "d"), *_publishing(site))
    }
    return await skills[name].call(Context(attempt="a", run=run, task="t"), args)


@pytest.mark.parametrize(
    ("name", "args", "output"),
    [
        ("keep", {"lines": PLAIN, "column": "amount", "least": 20}, {"lines": PLAIN[1:]}),
        ("keep", {"lines": PLAIN, "column": "seconds", "least": 3}, {"lines": PLAIN[2:]}),
        ("merge", {"left": PLAIN[:1], "right": PLAIN[1:]}, {"lines": PLAIN}),
        ("total", {"lines": PLAIN, "column": "amount"}, {"value": 60}),
        ("largest", {"lines": PLAIN, "column": "amount"}, {"value": 30}),
        ("largest", {"lines": [], "column": "amount"}, {"value": 0}),
        ("minus", {"left": 5, "right": 7}, {"value": -2}),
        ("raised", {"value": 50, "percent": 15}, {"value": 57}),
        ("publish", {"name": "x", "value": 3, "least": 3, "most": 3}, {"name": "x", "value": 3}),
    ],
)
async def test_skills_compute(name, args, output):
    assert await call(name, args) == output


async def test_what_is_not_as_expected_is_a_bad_output():
    with pytest.raises(BadOutputError, match="2 lines are left, expected 3"):
        await call("keep", {"lines": PLAIN, "column": "amount", "least": 20, "count": 3})
    for bounds in ({"least": 4}, {"most": 2}):
        with pytest.raises(BadOutputError, match="'x' would be 3"):
            await call("publish", {"name": "x", "value": 3, **bounds})


async def test_what_is_not_there_is_an_error():
    with pytest.raises(BadInputError, match="no column of numbers 'item'"):
        await call("total", {"lines": PLAIN, "column": "item"})
    for name in ("read", "refresh"):
        with pytest.raises(PermanentError, match="no file '/x' here"):
            await call(name, {"path": "/x"})


async def test_a_file_is_stale_until_this_run_refreshes_it():
    site = Site({("d", "/x"): File(tuple(LINES), OLD)})
    stale = {"lines": [{"item": "lamp", "amount": 5, "seconds": 5}]}
    assert await call("read", {"path": "/x"}, site=site) == stale
    await call("refresh", {"path": "/x"}, site=site)
    assert await call("read", {"path": "/x"}, site=site) == {"lines": PLAIN}
    assert await call("read", {"path": "/x"}, site=site, run="other") == stale


async def test_an_announcement_names_what_this_run_has_published():
    site = Site({})
    await call("publish", {"name": "x", "value": 3}, site=site)
    await call("publish", {"name": "y", "value": 3}, site=site, run="other")
    told = await call("announce", {"to": "a@b.c"}, site=site)
    assert told == {"to": "a@b.c", "names": ["x"]}
