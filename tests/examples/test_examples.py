"""Every example runs, and says what it promises; the README shows one of them."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PROMISED = {
    "warm_model.py": ("loading llama", "2'}", "closing llama after 2 answers"),
    "edit_while_running.py": ("refused: task 'pie' is active", "a warm pie with cream"),
    "embedded.py": ("RunEnded", "{'again': 'Hello, Hello, Ada!!'}"),
    "guarded_effect.py": ("written awake", "refused sleepy", "the page says awake"),
    "lost_device.py": ("TaskPlaced old", "{'answer': 42}", "AttemptLapsed", "TaskPlaced new"),
    "over_mqtt.py": ("{'loud': 'OVER THE WIRE'}",),
    "own_playbook.py": ("The server has ",),
    "own_skill.py": ("the paper is jammed", "job-3-3", "a number of at least 1, got 0"),
    "watch_events.py": ("and back", "RunEnded", "{'t5': 64}"),
}


def example(path):
    marks = [pytest.mark.broker] if "BrokerProcess" in path.read_text() else []
    return pytest.param(path, id=path.name, marks=marks)


@pytest.mark.parametrize("path", [example(path) for path in EXAMPLES])
def test_example_does_what_it_says(path, capsys, request):
    if request.node.get_closest_marker("broker"):
        request.getfixturevalue("installed_mosquitto")

    runpy.run_path(str(path), run_name="__main__")

    out = capsys.readouterr().out
    places = [out.find(each) for each in PROMISED[path.name]]
    assert -1 not in places, out
    assert places == sorted(places), out


def test_readme_shows_the_embedded_example_as_it_is():
    embedded = (ROOT / "examples" / "embedded.py").read_text()
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert shown == [embedded]
    assert len(embedded.splitlines()) <= 30
