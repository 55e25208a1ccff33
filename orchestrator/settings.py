"""muster.toml: who the coordinator is, where its broker and journal are, and how it plans.

```toml
[coordinator]
id = "coordinator"              # org, unit

[broker]
host = "broker.example.org"     # port, username, password_file, tls = { ca_file = "ca.pem" }

[journal]
path = "state/journal.db"
synchronous = "normal"          # or "full": survives power loss too

[planner]
choice = "playbook"             # or "llm"; "both": the model where no playbook fits
playbooks = ["playbooks"]       # folders searched before those in the box

[planner.llm]                   # any OpenAI-compatible endpoint; budgets and more: see its section
base_url = "http://127.0.0.1:8080/v1"
model = "qwen3-32b"
key_env = "MODEL_KEY"           # the environment variable with the key; or key_file

[memory]
folder = "memory"               # learn from finished runs; without a folder nothing is
adopt = "never"                 # or "rule": after three successes in a row, of runs that differ
adopt_into = "learned"          # a folder of playbooks, read beside the others

[planner.judge]                 # says how well ended runs did, beside the work; any endpoint
base_url = "http://127.0.0.1:8080/v1"
model = "qwen3-32b"

[scheduling]
improve_cpu = 0.005             # share of a core that looks for better plans meanwhile; 0: none
policy = "one_plan"             # or "fair", "edd", "affinity", …: ARCHITECTURE.md has the table

[scheduling.pareto]             # what the policy "pareto" weighs: seconds, joules, units of money
money = 1000.0                  # time, energy

[scheduling.tiered]             # up to how many seconds a task is for a tier, with "tiered"
device_s = 10.0                 # edge_s

[timing]
heartbeat_s = 2.0               # three misses: a device is lost

[retention]
days = 7                        # how long an ended run is kept; also: runs, tasks

[pinning]
policy = "index"                # or "lease", "none": how models, caches, … are kept warm
cap_s = 3600                    # nothing stays warm longer unused

[log]
level = "info"
format = "text"                 # or "json"
```
Every key has a default, so the file may be missing. A variable such as ``MUSTER_BROKER_HOST`` wins
over the file.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from orchestrator.core.retention.policies import Pinning
from orchestrator.core.scheduling.policies import DEFAULT, Parameters, Policy
from orchestrator.core.scheduling.shelf.pareto import DEFAULT_WEIGHTS, Weights
from orchestrator.core.scheduling.shelf.tiered import DEFAULT_BOUNDS, Bounds
from orchestrator.journal import Synchronous
from orchestrator.planner.judging.settings import JudgeSection
from orchestrator.planner.llm.settings import LlmSection
from protocol.settings import Broker, Id, LocalPath, Section, read_settings
from protocol.telemetry import Level

DEFAULT_FILE: Final = Path("muster.toml")
PREFIX: Final = "MUSTER"
Weight: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlannerChoice(StrEnum):
    """Who makes the plans."""

    PLAYBOOK = "playbook"
    LLM = "llm"
    BOTH = "both"
    """A playbook that fits the request, else the model, which also mends."""


class CoordinatorSection(Section):
    """The address of the coordinator: its A2A agent id is `org`/`unit`/`id`."""

    id: Id = "coordinator"
    org: Id = "muster"
    unit: Id = "default"


class JournalSection(Section):
    """Where the journal is and what it survives."""

    path: LocalPath = Path("state/journal.db")
    synchronous: Synchronous = Synchronous.NORMAL


class PlannerSection(Section):
    """Who plans, and from what."""

    choice: PlannerChoice = PlannerChoice.PLAYBOOK
    playbooks: tuple[LocalPath, ...] = ()
    """Folders searched before the playbooks in the box."""
    llm: LlmSection | None = None
    """Which model plans."""
    judge: JudgeSection | None = None
    """Which model says how well ended runs did; None: nobody does."""

    @model_validator(mode="after")
    def _has_a_model(self) -> Self:
        if self.choice is not PlannerChoice.PLAYBOOK and self.llm is None:
            raise ValueError(f"choice = {self.choice.value!r} needs a table [planner.llm]")
        return self


class Adopt(StrEnum):
    """Who turns what was learned into playbooks."""

    NEVER = "never"
    """Nobody but a person: `muster learn adopt`."""
    RULE = "rule"
    """`planner.memory.RULE`, too."""


class MemorySection(Section):
    """What is learned from finished runs, and where to."""

    folder: LocalPath | None = None
    """None learns nothing."""
    adopt: Adopt = Adopt.NEVER
    adopt_into: LocalPath | None = None
    """Where adopted playbooks go; None: to `playbooks` in the folder."""

    @model_validator(mode="after")
    def _has_a_folder(self) -> Self:
        if self.folder is None and (self.adopt is not Adopt.NEVER or self.adopt_into is not None):
            raise ValueError("nothing is learned, and so nothing adopted, without a folder")
        return self

    @property
    def learned(self) -> Path | None:
        """The folder of what was adopted, which may not be there yet."""
        return None if self.folder is None else self.adopt_into or self.folder / "playbooks"


class ParetoSection(Section):
    """What counts how much with the policy `pareto`, see there."""

    time: Weight = DEFAULT_WEIGHTS.time
    energy: Weight = DEFAULT_WEIGHTS.energy
    money: Weight = DEFAULT_WEIGHTS.money


class TieredSection(Section):
    """Up to how many seconds a task is easy enough for a tier, with the policy `tiered`."""

    device_s: Weight = DEFAULT_BOUNDS.device_s
    edge_s: Weight = DEFAULT_BOUNDS.edge_s

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.device_s > self.edge_s:
            raise ValueError("device_s is greater than edge_s: tiers rise from device to edge")
        return self


class SchedulingSection(Section):
    """Where ready tasks go."""

    policy: Policy = DEFAULT
    pareto: ParetoSection = ParetoSection()
    tiered: TieredSection = TieredSection()
    hedge_budget: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Work on second attempts beside late ones, at most, as a share of a run's; 0: none."""
    improve_cpu: Annotated[float, Field(ge=0, le=1)] = 0.005
    """Seconds of a core, in a process of its own, spent on a better plan each second; 0: none."""

    @property
    def parameters(self) -> Parameters:
        """What policies take."""
        pareto, tiered = self.pareto, self.tiered
        return Parameters(
            pareto=Weights(pareto.time, pareto.energy, pareto.money),
            tiered=Bounds(tiered.device_s, tiered.edge_s),
        )


class TimingSection(Section):
    """Durations in seconds; None leaves the engine's default."""

    heartbeat_s: PositiveFloat | None = None
    """Between two heartbeats of a device; three misses and it is lost."""
    lease_s: PositiveFloat | None = None
    """How long the lease of an attempt lasts without a heartbeat."""


class RetentionSection(Section):
    """How long ended runs are kept; the oldest go first. The newest is kept whatever its size."""

    days: PositiveFloat = 7.0
    runs: PositiveInt = 1000
    """Ended runs kept at most."""
    tasks: PositiveInt = 100_000
    """Tasks of ended runs kept at most, at about 2 KiB of memory each."""


class PinningSection(Section):
    """What is kept warm between two uses: models, caches, browsers, data sets."""

    policy: Pinning = Pinning.INDEX
    cap_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0
    """How long something may stay warm unused, in seconds, whatever the policy says."""


class LogSection(Section):
    """What is written to the standard error."""

    level: Level = Level.INFO
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """The whole file."""

    coordinator: CoordinatorSection = CoordinatorSection()
    broker: Broker = Broker()
    journal: JournalSection = JournalSection()
    planner: PlannerSection = PlannerSection()
    memory: MemorySection = MemorySection()
    scheduling: SchedulingSection = SchedulingSection()
    timing: TimingSection = TimingSection()
    retention: RetentionSection = RetentionSection()
    pinning: PinningSection = PinningSection()
    log: LogSection = LogSection()

    @property
    def playbook_folders(self) -> tuple[Path, ...]:
        """All folders of playbooks beside the box; what a person wrote wins over the learned."""
        learned = self.memory.learned
        there = (learned,) if learned is not None and learned.is_dir() else ()
        return (*there, *self.planner.playbooks)


def read(path: Path | None, *, environment: Mapping[str, str]) -> Settings:
    """Read settings from `path` and the environment.

    Args:
        path: None reads `DEFAULT_FILE` if there is one, and takes the defaults if there is none.
        environment: Usually `os.environ`.

    Raises:
        SettingsError: Something is wrong; it says what, where and what was expected.
    """
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    return read_settings(Settings, path, prefix=PREFIX, environment=environment)
