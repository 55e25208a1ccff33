import os

from benchmarks.chaos.effects import Effects, Mark, append


def write(path, mark, attempt="a1", task="a"):
    append(str(path), mark, run="r", task=task, attempt=attempt, token=7)


def test_reader_takes_in_what_was_added_since_it_last_read(tmp_path):
    effects = Effects(tmp_path / "log")
    effects.read()
    assert effects.lines == []

    write(effects.path, Mark.START)
    effects.read()
    write(effects.path, Mark.END)
    effects.read()

    assert [line.mark for line in effects.lines] == [Mark.START, Mark.END]
    (line, _) = effects.lines
    assert (line.key, line.attempt, line.token, line.pid) == (("r", "a"), "a1", 7, os.getpid())


def test_in_flight_is_what_was_started_and_has_not_ended(tmp_path):
    effects = Effects(tmp_path / "log")
    for attempt in ("a1", "a2", "a3"):
        write(effects.path, Mark.START, attempt)
    write(effects.path, Mark.END, "a1")
    write(effects.path, Mark.STOPPED, "a3")
    effects.read()

    ((pid, lines),) = effects.in_flight().items()

    assert pid == os.getpid()
    assert [line.attempt for line in lines] == ["a2"]


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path):
    effects = Effects(tmp_path / "log")
    write(effects.path, Mark.START)
    whole = effects.path.read_bytes()
    effects.path.write_bytes(whole + whole[:20])
    effects.read()
    assert len(effects.lines) == 1

    effects.path.write_bytes(whole + whole)
    effects.read()
    assert len(effects.lines) == 2
