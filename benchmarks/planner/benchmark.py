"""The benchmark `planner`: its parts and its goals. The names of the figures are a contract.

Requests in words (`requests`), a fleet that really computes (`fleet`), and a planner that is wrong
in a stated share of the requests and mends only what a reason names
(`orchestrator.planner.scripted.FalliblePlanner`). How much is done about that is the arm (`arms`);
every arm has the same requests and the same mistakes. Success is judged from what the run
delivered (`judge`), never from its status.

A wrong plan has one mistake. The planner thinks for 3 s and is asked at most `arms.CALLS` times
for a request; requests come every 6 s and are due 12 s and one and a half times their right plan's
length after that. Beside others, that is a world in which somebody thinks half of the time: how
much `stop_world` loses hangs on that, and how much `sequential` loses on the deadlines.

What may be claimed: on these requests and mistakes, with such a planner, the checks see so many,
and so many are mended. What may not: that a model errs or mends like this. Tokens are estimated
from the texts that would cross; no model speaks.
"""

from benchmarks.frame import Benchmark, Goal
from benchmarks.planner import campaign, costs

GOALS: dict[str, Goal] = {
    "success.full.30": (">=", 0.95),
    "dispatch_gap_ms": ("<=", 50.0),
    "check_ms.200": ("<=", 2.0),
}

BENCHMARK = Benchmark(
    name="planner",
    goals=GOALS,
    parts=(costs.measure, campaign.measure),
    settings={
        "requests": f"how many, {campaign.REQUESTS} if left out",
        "jobs": "in how many processes at once; as many as there are cores if left out",
    },
)

__all__ = ["BENCHMARK", "GOALS"]
