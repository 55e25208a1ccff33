"""From device.toml to the skill."""

import pytest

from agents import builtin
from agents.config import read
from protocol.settings import SettingsError
from protocol.types import Effect

FILE = """
[device]
id = "x"

[skills.files]
roots = ["."]

[skills.agent]
base_url = "http://127.0.0.1:1/v1"
model = "m"
key_file = "key"
allow = ["files.*", "system.*"]
needs_approval = ["files.append", {{ skill = "files.write", args = {{ path = "^/etc" }} }}]
steps = 7
{more}
"""


def load(folder, more=""):
    (folder / "key").write_text("a-key-of-ours-1")
    (folder / "device.toml").write_text(FILE.format(more=more))
    config = read(folder / "device.toml")
    return config, builtin.load(config)


def test_the_skill_has_what_the_owner_allows(tmp_path):
    config, skills = load(tmp_path)
    assert skills["agent.do"].info.effect is Effect.ONCE
    first, second = config.skills.agent.needs_approval
    assert (first.skill, first.args) == ("files.append", {})
    assert (second.skill, second.args["path"].pattern) == ("files.write", "^/etc")
    assert (config.skills.agent.steps, config.skills.agent.budget.seconds) == (7, 900.0)
    assert list(skills)[-1] == "agent.do"


def test_the_policy_holds_for_what_the_model_does(tmp_path):
    policy = '[policy]\n"a/*" = ["agent.do", "files.read", "system.*"]\n"b/*" = ["files.*"]'
    _, skills = load(tmp_path, policy)
    assert skills["agent.do"].info.effect is Effect.PURE  # nothing that writes is left


def test_without_the_table_there_is_no_such_skill(tmp_path):
    (tmp_path / "device.toml").write_text('[device]\nid = "x"\n')
    assert "agent.do" not in builtin.load(read(tmp_path / "device.toml"))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("needs_aproval = []", "not known here, did you mean 'needs_approval'"),
        ("tokens = 0", "greater than 0"),
        ('key_env = "NOT_THERE"', "the environment variable NOT_THERE is not set"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, more, sentence):
    with pytest.raises(SettingsError, match=sentence):
        load(tmp_path, more)
