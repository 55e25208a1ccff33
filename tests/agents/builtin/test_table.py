from threading import Event

import pytest

from agents.builtin import table
from agents.skills import BadInputError, NotAllowedError, PermanentError

pytestmark = pytest.mark.broker  # threads work outside the virtual clock

ORDERS = [
    {"id": 1, "shop": "a", "price": 3, "code": "x1"},
    {"id": 2, "shop": "b", "price": 5.5, "code": None},
    {"id": 3, "shop": "a", "price": None, "code": "y2"},
]
SHOPS = [{"shop": "a", "town": "Ulm", "id": 7}]


@pytest.fixture
def skills(tmp_path):
    return table.skills([tmp_path])


def ids(result):
    return [row["id"] for row in result["rows"]]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        (("shop", "==", "a"), [1, 3]),
        (("shop", "!=", "a"), [2]),
        (("price", ">", 3), [2]),
        (("price", "<=", 3), [1]),
        (("price", ">=", "text"), []),
        (("price", "<", 5), [1]),
        (("id", "in", [1, 2, 9]), [1, 2]),
        (("code", "contains", "1"), [1]),
        (("code", "matches", "^[xy]"), [1, 3]),
    ],
)
async def test_filter_keeps_what_meets_the_condition(call, skills, condition, left):
    where = [dict(zip(("column", "op", "value"), condition, strict=True))]
    result = await call(skills, "table.filter", source=ORDERS, where=where)
    assert ids(result) == left
    assert (result["total"], result["truncated"], result["path"]) == (len(left), False, None)


async def test_filter_picks_columns_and_bounds_rows(call, skills):
    result = await call(skills, "table.filter", source=ORDERS, columns=["shop", "id"], limit=1)
    assert result["rows"] == [{"shop": "a", "id": 1}]
    assert (result["total"], result["truncated"]) == (3, True)


async def test_csv_cells_become_numbers_only_where_nothing_is_lost(call, skills, tmp_path):
    (tmp_path / "x.csv").write_text("\ufeffa,b,c,d\n1,007,-2.5,\n", encoding="utf-8")
    result = await call(skills, "table.filter", source="x.csv")
    assert result["rows"] == [{"a": 1, "b": "007", "c": -2.5, "d": None}]


@pytest.mark.parametrize("name", ["out/x.csv", "x.tsv", "x.json", "x.jsonl"])
async def test_a_table_goes_to_a_file_and_comes_back_the_same(call, skills, name, tmp_path):
    written = await call(skills, "table.filter", source=ORDERS, into=name)
    assert written == {"rows": [], "total": 3, "truncated": False, "path": name}
    assert (await call(skills, "table.filter", source=name))["rows"] == ORDERS
    assert len(list((tmp_path / name).parent.iterdir())) == 1


async def test_group_counts_or_aggregates(call, skills):
    counted = await call(skills, "table.group", source=ORDERS, by=["shop"])
    assert counted["rows"] == [{"shop": "a", "count": 2}, {"shop": "b", "count": 1}]
    aggregates = {
        "orders": {"function": "count"},
        "priced": {"function": "count", "column": "price"},
        "total": {"function": "sum", "column": "price"},
        "mean": {"function": "mean", "column": "price"},
    }
    grouped = await call(skills, "table.group", source=ORDERS, by=["shop"], aggregates=aggregates)
    assert grouped["rows"][0] == {"shop": "a", "orders": 2, "priced": 1, "total": 3, "mean": 3}


async def test_aggregate_is_of_the_whole_table(call, skills):
    aggregates = {
        "shops": {"function": "distinct", "column": "shop"},
        "least": {"function": "min", "column": "price"},
        "most": {"function": "max", "column": "price"},
    }
    result = await call(skills, "table.aggregate", source=ORDERS, aggregates=aggregates)
    assert result == {"shops": 2, "least": 3, "most": 5.5}
    assert await call(skills, "table.aggregate", source=ORDERS) == {"count": 3}


async def test_aggregates_of_nothing_are_null(call, skills):
    nothing = [{"x": None}]
    aggregates = {name: {"function": name, "column": "x"} for name in ("mean", "min", "max")}
    result = await call(skills, "table.aggregate", source=nothing, aggregates=aggregates)
    assert result == {"mean": None, "min": None, "max": None}


@pytest.mark.parametrize(
    ("how", "rows"), [("inner", [1, 3]), ("left", [1, 2, 3]), ("outer", [1, 2, 3]), ("anti", [2])]
)
async def test_join_pairs_rows(call, skills, how, rows):
    result = await call(skills, "table.join", left=ORDERS, right=SHOPS, on=["shop"], how=how)
    assert sorted(ids(result)) == rows
    if how == "inner":
        assert result["rows"][0]["right.id"] == 7
        assert result["rows"][0]["town"] == "Ulm"


async def test_rows_of_a_join_over_devices_carry_their_item(call, skills):
    source = {
        "results": [{"rows": ORDERS, "total": 3}, {"rows": [], "total": 0}],
        "items": ["d1", "d2"],
    }
    result = await call(skills, "table.group", source=source, by=["item"])
    assert result["rows"] == [{"item": "d1", "count": 3}]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"source": "none.csv"}, (PermanentError, r"none\.csv: No such file")),
        ({"source": "none.json"}, (PermanentError, r"none\.json: No such file")),
        ({"source": "x.xls"}, (BadInputError, r"a table is a \.csv, \.tsv, \.json or \.jsonl")),
        ({"source": ORDERS, "into": "x.xls"}, (BadInputError, r"x\.xls: a table is")),
        ({"source": "/etc/x.csv"}, (NotAllowedError, "outside")),
        ({"source": ORDERS, "columns": ["prise"]}, (BadInputError, "did you mean 'price'")),
        ({"source": "bad.json"}, (BadInputError, "cannot be read or computed with")),
        ({"source": "bad.csv"}, (BadInputError, "cannot be read or computed with")),
        (
            {"source": ORDERS, "where": [{"column": "id", "op": "~", "value": 1}]},
            (BadInputError, "where.0.op: write one of '=='"),
        ),
    ],
)
async def test_bad_tables_get_a_sentence(call, skills, tmp_path, args, expected):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "bad.csv").write_bytes(b"a\n\xff\n")
    error, sentence = expected
    with pytest.raises(error, match=sentence):
        await call(skills, "table.filter", **args)


@pytest.mark.parametrize(
    ("aggregate", "sentence"),
    [
        ({"function": "sum"}, "aggregates.x: sum needs a column"),
        ({"function": "sum", "column": "code"}, "cannot be read or computed with"),
        ({"function": "sum", "column": "cod"}, "did you mean 'code'"),
    ],
)
async def test_bad_aggregates_get_a_sentence(call, skills, aggregate, sentence):
    with pytest.raises(BadInputError, match=sentence):
        await call(skills, "table.aggregate", source=ORDERS, aggregates={"x": aggregate})


async def test_an_empty_table_has_no_rows(call, skills, tmp_path):
    (tmp_path / "x.csv").write_text("")
    for source in ("x.csv", [], None, {"results": [], "items": []}):
        kept = await call(skills, "table.filter", source=source, columns=["a"])
        grouped = await call(skills, "table.group", source=source, by=["item"])
        assert kept["rows"] == grouped["rows"] == []
    assert await call(skills, "table.aggregate", source=[]) == {"count": 0}
    mean = {"mean": {"function": "mean", "column": "x"}}
    assert await call(skills, "table.aggregate", source=[], aggregates=mean) == {"mean": None}


def test_a_cancelled_table_leaves_the_old_file(tmp_path):
    (tmp_path / "x.jsonl").write_text("old")
    stop = Event()

    def rows():
        yield {"a": 1}
        stop.set()
        yield {"a": 2}

    with pytest.raises(InterruptedError):
        table._write(tmp_path / "x.jsonl", ["a"], table._until(stop, rows()))
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


async def test_blank_lines_between_objects_are_no_rows(call, skills, tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n')
    assert (await call(skills, "table.filter", source="x.jsonl"))["total"] == 2
