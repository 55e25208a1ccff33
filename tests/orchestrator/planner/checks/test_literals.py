import time

import pytest

from orchestrator.planner.checks.literals import fold, holds, is_file, literals


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ("list all my devices, and/or 24/7, TCP/IP, e.g. this. It is the users' turn", []),
        (
            "get https://example.com/a?b=1, or ask ops@example.com.",
            ["https://example.com/a?b=1", "ops@example.com"],
        ),
        (
            "find 'what it's', \"two words\" and `rm -rf` and «x»",
            ["what it's", "two words", "rm -rf", "x"],
        ),
        ("\u201ccurly\u201d and \u2018single\u2019", ["curly", "single"]),
        ("'https://example.com/x' is one", ["https://example.com/x"]),
        ("from /var/log/ to ~/a, ./b, ../c/d", ["/var/log/", "~/a", "./b", "../c/d"]),
        (
            "join orders.csv, etc/app.conf, *.log, src/*.py, x.d, a/b.txt",
            ["orders.csv", "etc/app.conf", "*.log", "src/*.py", "a/b.txt"],
        ),
        ("archive.tar.gz in C:\\Users\\me", ["archive.tar.gz", "C:\\Users\\me"]),
        ("v1.2.3 of 10.5 on 192.168.0.1, Done.Next", []),
        ("by 2024-05-01, 1 May 2024, May 1, 2024", ["2024-05-01", "1 May 2024", "May 1, 2024"]),
        (
            "on the 3rd of June 2025 or 3.6.2025 or 6/3/2025 or 99/99/2025",
            ["3rd of June 2025", "3.6.2025", "6/3/2025"],
        ),
        (
            "over 2 GB, 90 percent, 5%, 24h, 1,500 ms",
            ["2 GB", "90 percent", "5%", "24h", "1,500 ms"],
        ),
        ("the top 10 of 3 servers", []),
    ],
)
def test_the_literals_of_a_request(request_, found):
    assert sorted(each.text for each in literals(request_)) == sorted(found)


def test_names_of_known_devices_are_literals_as_whole_words():
    found = literals("from Alpha, not alphabet, to my nas", ["alpha", "beta", "nas", ""])
    assert [each.text for each in found] == ["alpha", "nas"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2 hours", {2.0, 120.0, 7200.0}),
        ("2 GB", {2.0, 2e9, 2.0**31, 2000.0}),
        ("2 GiB", {2.0, 2.0**31}),
        ("90%", {90.0, 0.9}),
        ("500 ms", {0.5, 500.0}),
        ("3 days", {3.0, 259200.0, 72.0}),
    ],
)
def test_a_quantity_is_known_in_every_unit_of_its_dimension(text, values):
    [literal] = literals(text)
    assert values <= set(literal.values)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2024-05-01", "1.5.2024"),
        ("1 May 2024", "2024-05-01"),
        ("sept 3, 2024", "september 3, 2024"),
        ("5/6/2024", "2024-05-06"),
        ("5/6/2024", "2024-06-05"),
    ],
)
def test_a_date_is_known_in_other_forms(text, form):
    [literal] = literals(text)
    assert form in literal.forms


def test_day_and_month_are_only_exchanged_where_custom_decides():
    [literal] = literals("5.6.2024")
    assert "2024-06-05" in literal.forms
    assert "2024-05-06" not in literal.forms


@pytest.mark.parametrize(
    ("text", "form", "there"),
    [
        ("the log here", "log", True),
        ("the catalogue", "log", False),
        ("catalog log", "log", True),
        ("/var/log/app", "/var/log", True),
        ("x.log", ".log", True),
        ("", "log", False),
    ],
)
def test_a_form_is_found_as_whole_words(text, form, there):
    assert holds(text, form) is there


def test_case_white_space_and_slashes_do_not_matter():
    assert fold("  A\\b \n C ") == "a/b c"


@pytest.mark.parametrize(
    ("text", "file"), [("a/b.txt", True), ("/a", True), ("a b", False), ("1.5", False)]
)
def test_a_file_is_told_by_its_whole_name(text, file):
    assert is_file(text) is file


@pytest.mark.parametrize(
    "part", ["a", "+", "/a", "'a ", '"', "a.", "1,", "-*", "a@", "C:\\", "3 "]
)
def test_a_long_request_is_read_in_no_time(part):
    started = time.process_time()
    literals(part * (10_000 // len(part)))
    assert time.process_time() - started < 0.5
