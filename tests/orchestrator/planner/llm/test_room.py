from orchestrator.planner.llm.room import Listing, shared


def listing(head, words, *, size=1):
    return Listing(head, len(words), iter([f"{each} " * size for each in words]))


def test_what_has_room_is_whole():
    lists = [listing("A:", ["one", "two"]), listing("B:", ["three"])]
    assert list(shared(lists, 100)) == ["A:\none \ntwo ", "B:\nthree "]


def test_what_a_short_list_leaves_goes_to_the_others():
    long = [f"word{n}" for n in range(100)]
    short, first, second = shared(
        [listing("S:", ["one"]), listing("A:", long), listing("B:", long)], 100
    )
    assert short == "S:\none "
    assert len(first) == len(second)
    assert first.endswith("… and 87 more")


def test_what_has_no_room_for_a_line_is_left_out():
    assert list(shared([listing("A:", ["word"] * 9, size=50)], 40)) == []


def test_no_more_lines_are_made_than_there_could_be_room_for():
    made = []
    lines = (made.append(n) or f"line {n}" for n in range(100_000))
    list(shared([Listing("A:", 100_000, lines)], 100))
    assert len(made) < 60
