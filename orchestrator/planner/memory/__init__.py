"""What finished runs teach: works to plan by, candidate playbooks, tips, rates of success.

Pure: `secrets` · `sampling` (a run as a sample) · `aligning`, `reading`, `generalising`,
`phrases`, `candidates` (samples as a playbook) · `works` · `words`, `outlines`, `retrieving`
(what is like a request) · `experience` (a run's tries), `tips`, `rates`, `aging` · `writing`.
I/O: `files`, `store` (the folder), `adopting` (a candidate becomes a playbook). Who calls it, in
threads, is `orchestrator.experience`.
"""

from orchestrator.planner.memory.adopting import RULE, Rule, adopt, answering, due
from orchestrator.planner.memory.candidates import Candidate, candidate, difference
from orchestrator.planner.memory.errors import (
    AdoptionError,
    LearningError,
    MemoryBusyError,
    MemoryFileError,
)
from orchestrator.planner.memory.retrieving import Found, Known, Source, ranked
from orchestrator.planner.memory.sampling import Sample, sample
from orchestrator.planner.memory.store import Finished, Memory
from orchestrator.planner.memory.tips import Tip
from orchestrator.planner.memory.works import Work

__all__ = [
    "RULE",
    "AdoptionError",
    "Candidate",
    "Finished",
    "Found",
    "Known",
    "LearningError",
    "Memory",
    "MemoryBusyError",
    "MemoryFileError",
    "Rule",
    "Sample",
    "Source",
    "Tip",
    "Work",
    "adopt",
    "answering",
    "candidate",
    "difference",
    "due",
    "ranked",
    "sample",
]
