"""What finished runs teach: works to plan by, candidate playbooks, tips, rates of success.

Pure: `secrets` · `sampling` (a run as a sample) · `aligning`, `reading`, `generalising`,
`phrases`, `candidates` (samples as a playbook) · `works` · `words`, `outlines`, `retrieving`
(what is like a request) · `experience` (a run's tries), `tips`, `rates`, `aging` · `writing`.
I/O: `files`, `store` (the folder), `adopting` (a candidate becomes a playbook).
"""

from orchestrator.planner.memory.adopting import RULE, Rule, adopt, due
from orchestrator.planner.memory.candidates import Candidate, candidate, difference
from orchestrator.planner.memory.errors import AdoptionError, LearningError, MemoryFileError
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
    "MemoryFileError",
    "Rule",
    "Sample",
    "Source",
    "Tip",
    "Work",
    "adopt",
    "candidate",
    "difference",
    "due",
    "ranked",
    "sample",
]
