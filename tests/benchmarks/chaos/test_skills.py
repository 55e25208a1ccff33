import asyncio

import pytest

from agents.skills import Context, LeaseLostError, Skills
from benchmarks.chaos.effects import Mark, append, parse
from benchmarks.chaos.skills import SKILLS
from protocol.types import Effect, Failed, Succeeded

PAY = Skills(SKILLS)["pay"]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def context(attempt="a1", **options):
    return Context(attempt=attempt, run="r", task="t", token=3, **options)


def arguments(log, work_s=0.1):
    return {"log": str(log), "work_s": work_s, "items": 2, "given": [{"any": "thing"}]}


def marks(log):
    return [line.mark for line in parse(log.read_text())]


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.info.name)
async def test_skill_says_when_it_starts_and_when_it_ends(skill, log):
    output = await skill.call(context(), arguments(log))

    assert output == {"attempt": "a1", "items": [0, 1]}
    assert marks(log) == [Mark.START, Mark.END]


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.info.name)
async def test_skill_that_is_told_to_stop_says_so(skill, log):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await skill.call(context(), arguments(log))

    assert marks(log) == [Mark.START, Mark.STOPPED]


@pytest.mark.parametrize(
    "skill", [s for s in SKILLS if s.info.effect is Effect.ONCE], ids=lambda skill: skill.info.name
)
async def test_once_skill_has_no_effect_without_its_lease(skill, log):
    with pytest.raises(LeaseLostError):
        await skill.call(context(lease_live=lambda: False), arguments(log))

    assert not log.exists()


async def test_payment_is_looked_up_by_its_attempt(log):
    append(str(log), Mark.START, run="r", task="t", attempt="a1", token=3)

    assert await PAY.reconcile(context("a1"), arguments(log)) == Succeeded(
        {"attempt": "a1", "items": [0, 1]}
    )
    assert isinstance(await PAY.reconcile(context("a2"), arguments(log)), Failed)
