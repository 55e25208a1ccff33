"""Plans are improved and adopted while anybody may say anything at any time."""

from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.model import Dependency, Limits, TaskSpec
from orchestrator.core.scheduling import improvement
from orchestrator.core.tuning import Tuning
from protocol.types import Effect, TaskId
from tests.properties.engine_machine import RUNS, SETTINGS
from tests.properties.engine_machine import EngineMachine as Machine
from tests.properties.plans import DEVICES, SKILLS
from tests.support.world import World

NAMES = [TaskId(f"t{n}") for n in range(8)]


class ImprovingMachine(Machine):
    """Answers come late, twice or not at all, and may be anything that is a plan."""

    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for name, value in {"LEAST_TASKS": 1, "LEAST_S": 0.5, "ROUND_S": 0.1}.items():
            self.patch.setattr(improvement, name, value)
        self.world = World(tuning=Tuning(rejections=3, keep_s=inf, improve_cpu=1e-4))

    def teardown(self):
        super().teardown()
        self.patch.undo()

    @initialize(slots=st.integers(1, 2), pairs=st.sets(st.tuples(*[st.integers(0, 7)] * 2)))
    def begin(self, slots, pairs):
        for n, device in enumerate(DEVICES[:2]):
            self.join(
                device, slots, SKILLS, lab=True, effect=Effect.PURE, memory=5.0, speed=1.0 + n
            )
        brief = Limits(queue_s=90.0)
        tasks = [
            AddTask(TaskSpec(name, "read", estimate_s=1.0 + 2.0 * n, limits=brief))
            for n, name in enumerate(NAMES)
        ]
        edges = [AddDependency(Dependency(NAMES[a], NAMES[b])) for a, b in pairs if a < b]
        self.submit(RUNS[0], EditBatch(0, (*tasks, *edges)), None, 2)
        assert self.problems()

    def problems(self):
        """Those of this life of the coordinator, and so of its worker."""
        asked = self.state.board.plan.problems
        return (
            [each.problem for each in self.world.ordered(c.ImprovePlan)[-asked:]] if asked else []
        )

    @precondition(lambda self: self.problems())
    @rule(data=st.data(), searched=st.booleans())
    def improved(self, data, searched):
        problem = data.draw(st.sampled_from(self.problems()[-2:]))
        order, device = improvement.solve(problem)
        if not searched:
            device = [
                data.draw(st.sampled_from([d for d, cost in enumerate(row) if cost < inf]))
                for row in problem.outlook.cost
            ]
        event = e.PlanImproved(problem.number, tuple(order), tuple(device))
        for fact in self.world.tell(event).facts:
            if isinstance(fact, f.PlanAdopted):
                assert self.state.runs[fact.run].adopted == fact
        self.world.retell(event)


TestImproving = ImprovingMachine.TestCase
TestImproving.settings = settings(SETTINGS, max_examples=12, stateful_step_count=15)
