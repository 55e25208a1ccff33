"""The policies by name: what settings choose from, and what the shared tests run."""

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.core.scheduling import Place, earliest_finish, fifo, one_plan


class Policy(StrEnum):
    """Who decides where ready tasks go."""

    EARLIEST_FINISH = "earliest_finish"
    FIFO = "fifo"
    ONE_PLAN = "one_plan"


POLICIES: Mapping[Policy, Place] = {
    Policy.EARLIEST_FINISH: earliest_finish.place,
    Policy.FIFO: fifo.place,
    Policy.ONE_PLAN: one_plan.place,
}
