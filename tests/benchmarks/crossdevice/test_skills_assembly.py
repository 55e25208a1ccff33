"""What binds texts of other outputs into one file, and loads rows into a database."""

import pytest

from agents.builtin.bounds import Roots
from agents.skills import BadInputError, Context, PermanentError
from benchmarks.crossdevice.skills import db, pack
from protocol.types import AttemptId, RunId, TaskId

CONTEXT = Context(attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"))
ROWS = [{"id": 1, "name": "ash"}, {"id": 2, "name": "birch"}]


@pytest.fixture
def call(tmp_path):
    skills = {each.info.name: each for of in (db, pack) for each in of.skills(Roots([tmp_path]))}

    async def call(skill, **args):
        return await skills[skill].call(CONTEXT, args)

    return call


async def load(call, rows, key=("id",)):
    return await call("db.load", path="trees.db", table="trees", rows=rows, key=[*key])


async def test_texts_of_rows_and_of_joins_are_bound_in_order(call, tmp_path):
    join = {"results": [{"text": "b\n\n"}, {"body": "c"}], "items": [1, 2], "missing": []}
    kept = await call("pack.bind", parts=[[{"text": "a"}], join["results"]], path="out/book.txt")
    assert (tmp_path / "out/book.txt").read_text() == "a\nb\nc\n"
    assert kept["size_bytes"] == 6
    await call("pack.bind", parts=join, path="out/book.txt")
    assert (tmp_path / "out/book.txt").read_text() == "b\nc\n"


async def test_loaded_rows_make_the_table_and_replace_those_of_the_same_key(call):
    await load(call, ROWS)
    state = await load(call, [{"id": 2, "name": "beech"}, {"id": 3, "name": "cedar"}])
    assert state["tables"] == {"trees": 3}
    answer = await call("db.query", path="trees.db", sql="select id, name from trees order by id")
    assert [row["name"] for row in answer["rows"]] == ["ash", "beech", "cedar"]


async def test_loading_twice_is_loading_once(call):
    assert await load(call, ROWS) == await load(call, ROWS)


async def test_no_rows_make_an_empty_table(call):
    assert (await load(call, []))["tables"] == {"trees": 0}


async def test_load_is_all_or_nothing(call):
    await load(call, ROWS)
    with pytest.raises(PermanentError, match="not supported"):
        await load(call, [{"id": 3, "name": "cedar"}, {"id": 4, "name": ["oak"]}])
    answer = await call("db.query", path="trees.db", sql="select count(*) as n from trees")
    assert answer["rows"] == [{"n": 2}]


async def test_a_name_that_is_none_is_refused(call):
    with pytest.raises(BadInputError, match="write text of the form"):
        await load(call, ROWS, key=('id"; drop table trees; --',))
