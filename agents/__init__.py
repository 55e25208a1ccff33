"""The device side: skills, and the agent that runs them for orchestrators.

`skills` is what a device can do, `session` (pure) what it holds, `ledger` what outlives a crash,
`warm` what is kept loaded in between, `runtime` the shell that runs it all, `simulated` devices
for tests and benchmarks.
"""

from agents.runtime import Agent
from agents.skills import Context, Skill, Skills, skill

__all__ = ["Agent", "Context", "Skill", "Skills", "skill"]
