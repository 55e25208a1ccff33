import pytest

from agents.builtin import files, text
from agents.skills import BadInputError, NotAllowedError

pytestmark = pytest.mark.broker  # threads work outside the virtual clock

SKILLS = text.skills()
LOG = "ERROR disk full\nINFO fine\n\nERROR took 3 s\nERROR took 4 s\n"
JOIN = {
    "results": [
        {"matches": [{"file": "x", "line": 1, "text": "ERROR took 3 s"}], "total": 1},
        {"matches": [], "total": 0},
        {"matches": [{"file": "y", "line": 9, "text": "ERROR took 5 s"}], "total": 1},
    ],
    "items": ["server-1", "server-2", "server-3"],
    "missing": [{"item": "server-4", "reason": "device lost"}],
}


@pytest.mark.parametrize(("invert", "total"), [(False, 3), (True, 2)])
async def test_grep_keeps_lines_or_the_others(call, invert, total):
    kept = await call(SKILLS, "text.grep", source=LOG, pattern="^ERROR", invert=invert)
    assert kept["total"] == len(kept["rows"]) == total
    assert kept["rows"][0] == {"text": "INFO fine" if invert else "ERROR disk full"}


async def test_grep_says_where_a_line_of_a_join_is_from(call):
    kept = await call(SKILLS, "text.grep", source=JOIN, pattern="5")
    assert kept["rows"] == [{"item": "server-3", "file": "y", "line": 9, "text": "ERROR took 5 s"}]


async def test_grep_is_bounded(call):
    kept = await call(SKILLS, "text.grep", source=["a", "a", 1], pattern="", limit=2)
    assert (len(kept["rows"]), kept["total"], kept["truncated"]) == (2, 3, True)


async def test_count_groups_by_cause_largest_first(call):
    counted = await call(SKILLS, "text.count", source=LOG, pattern="ERROR (.*)", mask=r"\d+")
    assert [(group["key"], group["count"]) for group in counted["groups"]] == [
        ("took # s", 2),
        ("disk full", 1),
    ]
    assert counted["groups"][0]["example"] == "ERROR took 3 s"
    assert (counted["total"], counted["distinct"], counted["unmatched"]) == (3, 2, 2)


async def test_count_says_how_often_where(call):
    counted = await call(SKILLS, "text.count", source=JOIN, mask=r"\d+")
    [group] = counted["groups"]
    assert group["items"] == {"server-1": 1, "server-3": 1}


async def test_errors_of_several_devices_become_one_report(call, tmp_path):
    results = []
    for name, line in {
        "s1": "ERROR disk full",
        "s2": "INFO fine",
        "s3": "ERROR disk full",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.log").write_text(f"{line}\n")
        skills = files.skills([tmp_path / name])
        results.append(await call(skills, "files.search", pattern="ERROR"))
    join = {"results": results, "items": ["s1", "s2", "s3"], "missing": JOIN["missing"]}
    counted = await call(SKILLS, "text.count", source=join, pattern="ERROR (.*)")
    sections = [
        {"heading": "Causes", "rows": counted, "columns": ["key", "count", "items"]},
        {"heading": "Missing", "rows": join["missing"], "empty": "Nothing."},
    ]
    report = await call(SKILLS, "text.report", title="Errors", sections=sections)
    assert "| disk full | 2 | s1: 1, s3: 1 |" in report["text"]
    assert "| server-4 | device lost |" in report["text"]


async def test_nothing_found_anywhere_is_no_row_and_a_row_may_hold_an_empty_list(call, tmp_path):
    nothing = await call(files.skills([tmp_path]), "files.search", pattern="ERROR")
    assert (await call(SKILLS, "text.count", source=nothing))["total"] == 0
    rows = [{"id": 1, "tags": []}, {"id": 2, "tags": [{"a": 1}]}]
    assert (await call(SKILLS, "text.grep", source=rows, pattern="id"))["rows"] == rows


async def test_rows_without_a_text_count_as_json(call):
    rows = [{"level": "ERROR"}, {"level": "INFO"}]
    counted = await call(SKILLS, "text.count", source=rows, pattern='"level":"(.*)"')
    assert [group["key"] for group in counted["groups"]] == ["ERROR", "INFO"]


async def test_template_fills_names(call):
    filled = await call(
        SKILLS, "text.template", template="$a: ${b}$$", values={"a": "x", "b": [1]}
    )
    assert filled["text"] == "x: [1]$"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("$b", r"names \$b, which has no value"),
        ("$", "the template is wrong: Invalid placeholder"),
    ],
)
async def test_a_wrong_template_is_bad_input(call, template, sentence):
    with pytest.raises(BadInputError, match=sentence):
        await call(SKILLS, "text.template", template=template, values={"a": 1})


SECTIONS = [
    {"heading": "Errors", "text": "Two causes.", "rows": {"groups": [{"key": "a|b", "count": 2}]}},
    {"heading": "Where", "rows": [{"x": {"s1": 1}, "y": [1, None]}], "columns": ["y", "x", "z"]},
    {"heading": "Missing", "rows": JOIN["missing"], "empty": "Nothing."},
    {"heading": "Late", "rows": [], "empty": "Nothing."},
    {"heading": "End"},
]
REPORT = """# Report

## Errors

Two causes.

| key | count |
| --- | --- |
| a\\|b | 2 |

## Where

| y | x | z |
| --- | --- | --- |
| 1,  | s1: 1 |  |

## Missing

| item | reason |
| --- | --- |
| server-4 | device lost |

## Late

Nothing.

## End
"""


async def test_report_renders_tables_and_says_what_is_empty(call):
    report = await call(SKILLS, "text.report", title="Report", sections=SECTIONS)
    assert report == {"text": REPORT, "path": None}


async def test_report_goes_to_a_file(call, tmp_path):
    report = await call(
        text.skills([tmp_path]), "text.report", title="Report", sections=SECTIONS, path="out/r.md"
    )
    assert report == {"text": "", "path": "out/r.md"}
    assert (tmp_path / "out/r.md").read_text() == REPORT
    with pytest.raises(NotAllowedError, match="no folder is open"):
        await call(SKILLS, "text.report", title="Report", sections=[], path="r.md")


async def test_an_output_without_rows_is_a_row_itself(call):
    output = {"percent": 3, "path": "/"}
    assert (await call(SKILLS, "text.grep", source=output, pattern="3"))["rows"] == [output]
