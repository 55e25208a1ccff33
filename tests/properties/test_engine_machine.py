"""The engine under any order of events, from the first plan or from where hedges run."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from orchestrator.core import events as e
from orchestrator.core.edits import (
    AddTask,
    EditBatch,
)
from orchestrator.core.model import (
    Limits,
    TaskSpec,
)
from protocol.types import (
    Effect,
)
from tests.properties.engine_machine import RUNS, SETTINGS, EngineMachine
from tests.properties.plans import DEVICES, SKILLS, TASKS

TestEngine = pytest.mark.timeout(240)(EngineMachine.TestCase)
TestEngine.settings = SETTINGS


class HedgeMachine(EngineMachine):
    """The same, from where a hedge runs beside each of some attempts."""

    @initialize(count=st.integers(1, 3), told=st.booleans())
    def begin(self, count, told):
        for device in DEVICES[:2]:
            self.join(device, count, SKILLS, lab=True, effect=Effect.PURE, memory=5.0, speed=1.0)
        brief = Limits(queue_s=60.0)  # at the end nobody frees a device for those that wait
        specs = [TaskSpec(name, "read", estimate_s=3.0, limits=brief) for name in TASKS[:count]]
        self.submit(RUNS[0], EditBatch(0, tuple(map(AddTask, specs))), None, 2)
        for offer in list(self.world.offers.values()):
            self.world.tell(e.AttemptReported(offer.device, offer.attempt, started=True))
        self.world.wait(6.0)
        hedges = [t.hedge for t in self.state.runs[RUNS[0]].tasks.values()]
        assert any(hedges)
        for name in filter(None, hedges if told else ()):
            event = e.AttemptReported(self.world.offers[name].device, name, started=True)
            self.world.tell(event)


TestHedges = pytest.mark.timeout(240)(HedgeMachine.TestCase)
TestHedges.settings = settings(SETTINGS, max_examples=25, stateful_step_count=20)
