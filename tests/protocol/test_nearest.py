from protocol.nearest import SHOWN, meant, nearest


def test_the_nearest_name_is_suggested():
    assert nearest("colect", ["report", "collect"]) == ", did you mean 'collect'?"


def test_without_a_near_one_the_known_names_are_listed_in_order():
    assert nearest("zzz", ["b", "a"]) == ", there are a, b"


def test_a_long_list_is_cut():
    names = [f"{n:02}" for n in range(SHOWN + 1)]
    assert nearest("zzz", names) == f", there are {', '.join(names[:SHOWN])}, …"


def test_without_any_name_nothing_is_said():
    assert nearest("zzz", []) == ""


def test_without_a_near_one_nothing_is_meant():
    assert meant("colect", ["collect"]) == ", did you mean 'collect'?"
    assert meant("zzz", ["a"]) == ""
