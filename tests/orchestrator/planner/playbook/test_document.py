import pytest

from orchestrator.planner.playbook.document import Place, PlaybookError, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[on, no, 12:30, 2024-01-01]", ["on", "no", "12:30", "2024-01-01"]),
        ("[true, false, null, ~, ]", [True, False, None, None]),
        ("[1, -2, 1.5, 1e3, .5]", [1, -2, 1.5, 1000.0, 0.5]),
        ("['1', \"true\", |-\n x]", None),
        ("{a: '1', b: \"true\"}", {"a": "1", "b": "true"}),
        ("a: |\n  1\n", {"a": "1\n"}),
        ("a:\n", {"a": None}),
    ],
)
def test_plain_words_are_read_as_yaml_1_2(text, value):
    if value is None:
        with pytest.raises(PlaybookError):
            read(text, "f")
    else:
        assert read(text, "f").value == value


def test_every_value_has_its_place():
    document = read("tasks:\n  - id: a\n    after: [b, c]\n", "f.yaml")
    assert document.place(("tasks", 0, "after", 1)) == Place("f.yaml", 3, 16)
    assert str(document.place(())) == "f.yaml:1:1"


def test_an_unknown_step_of_a_location_is_passed_over():
    document = read("a:\n  b: 1\n", "f")
    assert document.place(("a", "union-branch", "b", "more")) == Place("f", 2, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1:1: the file is empty"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: 'a' is here a second time"),
        ("a: [1\n", "f:2:1: this is not YAML: expected ',' or ']'"),
        ("a: \x00", "f:1:4: this is not YAML: special characters"),
        ("a: &x [1]\nb: *x\n", "f:1:4: aliases are not used in playbooks"),
        ("a: &x [*x]\n", "f:1:4: aliases are not used in playbooks"),
        ("a: !!python/object:os.system x\n", "f:1:4: tags such as"),
        ("[a]: 1\n", "f:1:1: a key must be text"),
        ("a: 1\n---\nb: 2\n", "f:2:1: this is not YAML: but found another document"),
        ("[" * 5000, "f:1:1: nested too deeply"),
    ],
)
def test_what_is_no_playbook_yaml_is_refused_with_its_place(text, message):
    with pytest.raises(PlaybookError) as caught:
        read(text, "f")
    assert str(caught.value).startswith(message)


def test_problems_are_listed_in_the_order_of_the_file_without_repeats():
    late, early = (Place("f", 9, 1), "late"), (Place("f", 2, 1), "early")
    assert str(PlaybookError([late, early, late])) == "f:2:1: early\nf:9:1: late"
