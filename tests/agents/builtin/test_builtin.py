import pytest

from agents import builtin
from agents.config import Command, DeviceConfig
from agents.skills import Skills
from protocol.settings import SettingsError

ALWAYS = {"system", "table", "text"}
OWN = """
from agents.skills import skill

@skill
async def mine() -> None: ...

@skill
async def yours() -> None: ...

@skill("text.grep")
async def again() -> None: ...

both = (mine, yours)
mixed = [mine, 3]
"""


def load(**skills: object) -> Skills:
    return builtin.load(DeviceConfig(device={"id": "x"}, skills=skills))


def groups(skills):
    return {name.partition(".")[0] for name in skills}


def test_what_can_harm_is_off_until_it_is_allowed(tmp_path):
    assert groups(load()) == ALWAYS
    allowed = {
        "files": {"roots": [tmp_path]},
        "shell": {"allow": [Command(run="ls")]},
        "http": {"allow": ["example.org"]},
    }
    everything = load(**allowed)
    assert groups(everything) == ALWAYS | {"files", "shell", "http"}


def test_what_is_on_can_be_switched_off():
    assert groups(load(table={"enabled": False}, text={"enabled": False})) == {"system"}


def test_every_skill_tells_a_planner_what_it_does(tmp_path):
    for info in load(files={"roots": [tmp_path]}).infos:
        assert info.description.endswith(".")
        assert info.input_schema["additionalProperties"] is False


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_skills.py").write_text(OWN)
    (tmp_path / "broken_skills.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("own")
def test_skills_of_ones_own_are_loaded_by_import_path():
    assert {"mine", "yours"} <= set(load(python=["own_skills:both"]))
    assert "mine" in load(python=["own_skills:mine"])


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("no_such_module:x", "'no_such_module:x' cannot be loaded: No module named"),
        ("own_skills:none", "cannot be loaded: .* no attribute 'none'"),
        ("own_skills", "cannot be loaded"),
        ("broken_skills:x", "cannot be loaded: division by zero"),
        ("own_skills:mixed", "is no @skill or sequence of them"),
        ("own_skills:again", "two skills are called 'text.grep'"),
    ],
)
def test_what_cannot_be_loaded_is_named(place, sentence):
    with pytest.raises(SettingsError, match=sentence):
        load(python=[place])
