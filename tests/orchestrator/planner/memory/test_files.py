import pytest

from orchestrator.planner.memory.errors import MemoryFileError
from orchestrator.planner.memory.files import draft, one_writer, read_part, write_part
from orchestrator.planner.memory.rates import Count, Counts

COUNTS = Counts(counts=(Count(skill="look", device="nas", good=1, all=2.5, wall=7.0),))


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "new" / "history.yaml"
    write_part(path, COUNTS, head="# mine\n")
    assert read_part(path, Counts) == COUNTS
    assert path.read_text().startswith("# mine\n")
    assert [each.name for each in path.parent.iterdir()] == ["history.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("counts:\n  - {skill: a\n", "f.yaml:3:1: this is not YAML"),
        ("counts:\n  - {skill: a, device: b, good: x, all: 1, wall: 1}", "f.yaml:2:33: counts."),
        ("counts:\n  - {skill: a, device: b, good: -1, all: 1, wall: 1}", "f.yaml:2:33: counts."),
        ("counts: []\nmore: 1\n", "f.yaml:2:7: 'more' is not known here, there are counts"),
        ("", "f.yaml:1:1: the file is empty"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_the_line(tmp_path, text, message):
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(MemoryFileError) as caught:
        read_part(path, Counts)
    assert message in str(caught.value)


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xff\x00")
    with pytest.raises(MemoryFileError, match=r"f\.yaml: cannot be read"):
        read_part(tmp_path / "f.yaml", Counts)


def test_a_file_is_never_written_in_place(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("old")
    (tmp_path / "same").hardlink_to(path)
    write_part(path, COUNTS)
    assert (tmp_path / "same").read_text() == "old"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("old")

    class PowerCutError(Exception):
        pass

    with pytest.raises(PowerCutError), draft(path, "new"):
        raise PowerCutError
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["f.yaml"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MemoryFileError, match="cannot be written"):
        write_part(tmp_path / "file" / "f.yaml", COUNTS)
    with pytest.raises(MemoryFileError, match="cannot be written"), one_writer(tmp_path / "file"):
        pass


def test_one_writes_at_a_time_and_the_next_may_after_it(tmp_path):
    with one_writer(tmp_path):
        with (
            pytest.raises(MemoryFileError, match="another process writes it"),
            one_writer(tmp_path),
        ):
            pass
        assert [each.name for each in tmp_path.iterdir()] == [".lock"]
    with one_writer(tmp_path):
        pass
