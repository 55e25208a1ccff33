"""The policies by name: what settings choose from, and what the shared tests run."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from orchestrator.core.scheduling import Board, Place, earliest_finish, one_plan
from orchestrator.core.scheduling.board import Eligible, all_of
from orchestrator.core.scheduling.shelf import (
    affinity,
    bid,
    by_chance,
    cp_fallback,
    cpop,
    edd,
    fair,
    fifo,
    goodput,
    heft,
    least_loaded,
    mdd,
    pareto,
    peft,
    round_robin,
    srpt_revealed,
    tiered,
)
from orchestrator.core.scheduling.shelf.common.packing import Solver, solve
from orchestrator.core.scheduling.shelf.pareto import DEFAULT_WEIGHTS, Weights
from orchestrator.core.scheduling.shelf.tiered import DEFAULT_BOUNDS, Bounds


class Policy(StrEnum):
    """Who decides where ready tasks go."""

    EARLIEST_FINISH = "earliest_finish"
    FIFO = "fifo"
    ONE_PLAN = "one_plan"
    # The shelf.
    AFFINITY = "affinity"
    BID = "bid"
    CP_FALLBACK = "cp_fallback"
    CPOP = "cpop"
    EDD = "edd"
    FAIR = "fair"
    GOODPUT = "goodput"
    HEFT = "heft"
    LEAST_LOADED = "least_loaded"
    MDD = "mdd"
    PARETO = "pareto"
    PEFT = "peft"
    RANDOM = "random"
    ROUND_ROBIN = "round_robin"
    SRPT_REVEALED = "srpt_revealed"
    TIERED = "tiered"


DEFAULT: Final = Policy.ONE_PLAN
"""Where nobody chooses: what it cannot plan it binds as late as `EARLIEST_FINISH` does."""
BY_DEADLINE: Final = frozenset({Policy.ONE_PLAN})
"""Where ready tasks wait by urgency. The shelf has its own rules, or takes runs as they come."""
POLICIES: Mapping[Policy, Place] = {
    Policy.EARLIEST_FINISH: earliest_finish.place,
    Policy.FIFO: fifo.place,
    Policy.ONE_PLAN: one_plan.place,
    Policy.AFFINITY: affinity.place,
    Policy.BID: bid.place,
    Policy.CP_FALLBACK: cp_fallback.place,
    Policy.CPOP: cpop.place,
    Policy.EDD: edd.place,
    Policy.FAIR: fair.place,
    Policy.GOODPUT: goodput.place,
    Policy.HEFT: heft.place,
    Policy.LEAST_LOADED: least_loaded.place,
    Policy.MDD: mdd.place,
    Policy.PARETO: pareto.place,
    Policy.PEFT: peft.place,
    Policy.RANDOM: by_chance.place,
    Policy.ROUND_ROBIN: round_robin.place,
    Policy.SRPT_REVEALED: srpt_revealed.place,
    Policy.TIERED: tiered.place,
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What some policies take, by their names."""

    pareto: Weights = DEFAULT_WEIGHTS
    tiered: Bounds = DEFAULT_BOUNDS
    solver: Solver = solve
    """Of `cp_fallback`."""


DEFAULT_PARAMETERS: Final = Parameters()


def chosen(policy: Policy, parameters: Parameters) -> Place:
    """Return a policy with its parameters.

    Raises:
        ValueError: there is no such policy.
    """
    if policy not in tuple(Policy):
        raise ValueError(f"policy is {', '.join(map(repr, map(str, Policy)))}, not {policy!r}")
    match policy:
        case Policy.PARETO:
            return partial(pareto.place, weights=parameters.pareto)
        case Policy.CP_FALLBACK:
            return partial(cp_fallback.place, solver=parameters.solver)
        case Policy.TIERED:
            return partial(tiered.place, bounds=parameters.tiered)
        case _:
            return POLICIES[policy]


def allowed(policy: Policy, parameters: Parameters, board: Board) -> Eligible:
    """Return where a policy allows copies; labels that a task needs are asked for everywhere."""
    if policy == Policy.TIERED:
        return partial(tiered.eligible, board, parameters.tiered)
    return all_of
