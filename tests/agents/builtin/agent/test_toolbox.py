import pytest

from agents.agent_settings import CallRule
from agents.builtin.agent import permitted
from agents.builtin.agent.toolbox import Decision, Toolbox, decision, must_approve
from agents.skills import Skill
from protocol.chat import ToolCall
from protocol.types import SkillInfo


def named(*names):
    return [Skill(SkillInfo(name), None) for name in names]


def test_tools_have_names_that_servers_take_each_its_own():
    box = Toolbox(named("a.b", "a_b", "a-b", "x" * 80, "x" * 81), ["*"], lambda _: True)
    names = [each.name for each in box.tools]
    assert names == ["a_b", "a_b_2", "a-b", "x" * 64, "x" * 60 + "_2"]
    for tool, name in zip(names, ["a.b", "a_b", "a-b", "x" * 80, "x" * 81], strict=True):
        skill, args = box.find(ToolCall("", tool, ""))
        assert (skill.info.name, args) == (name, {})


def test_a_skill_of_the_name_that_a_tool_has_is_not_taken_for_it():
    box = Toolbox(named("a.b", "a_b"), ["*"], lambda _: True)
    assert box.find(ToolCall("", "a_b", ""))[0].info.name == "a.b"  # as the model was told
    assert box.find(ToolCall("", "a_b_2", ""))[0].info.name == "a_b"


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ({"skill": "shell.run"}, True),
        ({"skill": "shell.*"}, True),
        ({"skill": "files.*"}, False),
        ({"skill": "shell.run", "args": {"command": "rm"}}, True),
        ({"skill": "shell.run", "args": {"command": r'^\["rm","-rf"'}}, True),
        ({"skill": "shell.run", "args": {"command": "mv"}}, False),
        ({"skill": "shell.run", "args": {"command": "rm", "cwd": "^/home"}}, True),
        ({"skill": "shell.run", "args": {"command": "rm", "cwd": "^/$"}}, False),
        ({"skill": "shell.run", "args": {"limit_s": "."}}, True),  # left out: could be anything
    ],
)
def test_rules_say_what_a_person_is_asked_about(rule, asks):
    args = {"command": ["rm", "-rf", "/x"], "cwd": "/home/me"}
    assert must_approve([CallRule(**rule)], "shell.run", args) is asks
    assert must_approve([CallRule(skill="none"), CallRule(**rule)], "shell.run", args) is asks


ARGS = {"path": "/a"}
OTHER = {"path": "/b"}


@pytest.mark.parametrize(
    ("answer", "decided"),
    [
        (True, Decision(ARGS)),
        ("yes", Decision(ARGS)),
        (" OK ", Decision(ARGS)),
        (OTHER, Decision(OTHER)),
        ('{"path": "/b"}', Decision(OTHER)),
        (False, Decision(None)),
        (None, Decision(None)),
        (1, Decision(None)),
        ([], Decision(None)),
        ("no", Decision(None, "no")),
        ("not on a Friday", Decision(None, "not on a Friday")),
        ("yes, but not there", Decision(None, "yes, but not there")),
        ("[1]", Decision(None, "[1]")),
        ("", Decision(None)),
    ],
)
def test_only_a_clear_yes_or_other_arguments_go_on(answer, decided):
    assert decision(answer, ARGS) == decided


@pytest.mark.parametrize(
    ("policy", "may"),
    [
        (None, True),
        ({"*": ["*"]}, True),
        ({"a/*": ["agent.*", "files.*"]}, True),
        ({"a/*": ["agent.do"]}, False),
        ({"a/*": ["agent.do", "files.*"], "b/*": ["agent.do"]}, False),
        ({"a/*": ["agent.do", "files.*"], "b/*": ["system.*"]}, True),
        ({"a/*": ["agent.do"], "*": ["files.*"]}, False),
    ],
)
def test_the_model_may_use_what_each_line_with_it_allows(policy, may):
    assert permitted(policy, "files.read") is may
