"""What people are asked, and what their answers do."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.agents.builtin.agent.cases import CONTEXT, KEY, Device, Scripted, says, work

WRITE = ("files_write", {"path": "/b", "text": "x"})
DONE = says(text="done")


@pytest.fixture
def device():
    return Device()


class Person:
    def __init__(self, *answers, takes_s=0.0):
        self.asked = []
        self.context = replace(CONTEXT, on_ask=self._ask)
        self._answers = iter(answers)
        self._takes_s = takes_s

    async def _ask(self, question):
        self.asked.append(question)
        await asyncio.sleep(self._takes_s)
        return next(self._answers)


async def ask(device, person, *calls, **more):
    """Let the model call what a person must approve; return what it is told."""
    model = Scripted(says(*(calls or [WRITE])), DONE)
    rules = more.pop("needs_approval", ["files.write"])
    await work(model, device, context=person.context, needs_approval=rules, **more)
    return model.told()


async def test_a_person_sees_the_exact_call_and_says_yes(device):
    person = Person("yes")
    assert await ask(device, person) == ["1"]
    assert device.done == [("write", "/b: x")]
    [question] = person.asked
    assert 'May the model call files.write with {"path":"/b","text":"x"}?' in question


async def test_a_no_is_data_with_its_reason(device):
    [told] = await ask(device, Person("not there"))
    assert json.loads(told)["error"]["detail"] == "a person refused it: not there"
    assert device.done == []


async def test_other_arguments_are_taken_and_told(device):
    [told] = await ask(device, Person({"path": "/c", "text": "longer"}))
    assert told == 'A person changed the arguments to {"path":"/c","text":"longer"}\n6'
    assert device.done == [("write", "/c: longer")]


async def test_other_arguments_pass_the_same_checks(device):
    [told] = await ask(device, Person({"path": "/c"}))
    assert "'text' is missing" in told
    assert device.done == []


async def test_what_needs_no_approval_goes_on_and_each_call_is_asked_about(device):
    person = Person("yes", "no")
    rules = [{"skill": "files.write", "args": {"path": "^/b"}}]
    free = ("files_write", {"path": "/a", "text": "x"})
    told = await ask(device, person, WRITE, free, WRITE, needs_approval=rules)
    assert [each[:1] for each in told] == ["1", "1", "{"]
    assert len(person.asked) == 2


async def test_with_nobody_to_ask_it_is_not_done(device):
    model = Scripted(says(WRITE), DONE)
    await work(model, device, needs_approval=["*"])
    assert "needs a person's approval, and nobody is there" in model.told()[0]
    assert device.done == []


async def test_people_may_take_their_time(device):
    assert await ask(device, Person("yes", takes_s=5000.0), seconds=10) == ["1"]


async def test_what_nobody_can_read_is_not_asked(device):
    person = Person("yes")
    long = ("files_write", {"path": "/b", "text": "x" * 9000})
    [told] = await ask(device, person, long)
    assert "too long for a person to approve" in told
    assert (person.asked, device.done) == ([], [])


async def test_secrets_are_in_no_question(device):
    person = Person("no")
    await ask(device, person, ("files_write", {"path": KEY, "text": ""}), headers={"x": KEY})
    assert '"path":"[secret]"' in person.asked[0]
