"""A task of the suite, read from its folder."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from benchmarks.crossdevice.checking import Subtask, subtasks
from benchmarks.crossdevice.fixture import Fixture
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.reference import revised, revisions
from benchmarks.frame import BenchmarkError
from orchestrator.planner.playbook import Playbook, PlaybookError
from orchestrator.planner.playbook import load as load_playbook
from protocol.types import Json

FOLDER: Final = Path(__file__).parent / "tasks"
CATEGORIES: Final = frozenset(
    (
        "approval",
        "backup and verify",
        "batch inference",
        "build and test matrix",
        "config roll-out",
        "crawl and report",
        "database move",
        "document assembly",
        "health inventory",
        "image batch",
        "incident response",
        "log triage",
        "permission and hash audit",
        "table pipeline",
    )
)
TAGS: Final = frozenset(
    (
        "approval",
        "branches",
        "chain",
        "diamond",
        "fan-out",
        "for-each-device",
        "large",
        "movable",
        "phone",
        "pipeline",
        "replanning",  # it has a `revisions.yaml`
        "roll-back",
        "slow-devices",
        "transfer",
        "two-stage",
        "warm",
        "wide",
    )
)
UNREADABLE: Final = (
    ValidationError,
    yaml.YAMLError,
    PlaybookError,
    ImportError,
    SyntaxError,
    AttributeError,
    OSError,
)
OWN: Final = ("folder", "site")
"""Parameters that the harness gives: the task's own folder on every device, and its pages."""


class Part(BaseModel):
    """A mapping in the file; keys it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(Part):
    """What the person says who is asked."""

    question: str = Field(description="A regular expression that finds something in the question.")
    say: JsonValue
    after_s: Annotated[float, Field(ge=0)] = 0.2


class TaskFile(Part):
    """`task.yaml`."""

    title: str
    category: str
    request: str = Field(description="In plain words; {folder}, {site} and parameters filled in.")
    parameters: Mapping[str, JsonValue] = {}
    devices: tuple[str, ...] = Field(description="Those that it is about; the others are there.")
    needs: tuple[tuple[str, ...], ...] = Field(
        description="Success is possible as long as one device of each line is there."
    )
    tags: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    battery: Annotated[float, Field(gt=0, le=100)] = 100.0
    limit_s: Annotated[float, Field(gt=0, le=600)] = 60.0


@dataclass(frozen=True, slots=True)
class Task:
    """One task: `name` is that of its folder."""

    name: str
    file: TaskFile
    make: Callable[[Fixture], None]
    subtasks: tuple[Subtask, ...]
    plan: Playbook
    """Its reference plan."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return FOLDER / self.name

    @property
    def playbook(self) -> Path:
        """The file of its reference plan."""
        return self.folder / "playbook.yaml"

    def request(self, own: Mapping[str, str]) -> str:
        """Return the request in words, with the folder and the site of one play."""
        every = {**self.file.parameters, **own}
        words = re.sub(
            r"\{(\w+)\}", lambda found: str(every.get(found[1], found[0])), self.file.request
        )
        return " ".join(words.split())

    def parameters(self, own: Mapping[str, str]) -> Mapping[str, Json]:
        """Return what is submitted beside the words, as far as the playbook takes it."""
        every = {**self.file.parameters, **own}
        return {name: each for name, each in every.items() if name in self.plan.part.parameters}

    def chance(self, seed: int) -> random.Random:
        """Return where what its fixture draws comes from."""
        return random.Random(f"{seed}/{self.name}")


def names() -> Sequence[str]:
    """Return the names of all tasks, sorted."""
    return sorted(each.parent.name for each in FOLDER.glob("*/task.yaml"))


def load(name: str) -> Task:
    """Read a task.

    Raises:
        BenchmarkError: there is none of this name, or it is not as it should be; it says why.
    """
    folder = FOLDER / name
    if not (folder / "task.yaml").is_file():
        like = " or ".join(get_close_matches(name, names()))
        raise BenchmarkError(
            f"there is no task {name!r} in {FOLDER}" + (f"; {like} is there" if like else "")
        )
    try:
        file = TaskFile.model_validate(yaml.safe_load((folder / "task.yaml").read_text("utf-8")))
        package = f"{__package__}.tasks.{name}"
        make = import_module(f"{package}.fixture").make
        checks = subtasks(import_module(f"{package}.check"))
        path = folder / "playbook.yaml"
        task = Task(name, file, make, checks, load_playbook(path.read_text("utf-8"), str(path)))
        for each in revisions(folder / "revisions.yaml"):
            revised(task.plan, each)
    except UNREADABLE as error:
        raise BenchmarkError(f"task {name!r}: {error}") from error
    if wrong := next(_problems(task), None):
        raise BenchmarkError(f"task {name!r}: {wrong}")
    return task


def load_all(chosen: Iterable[str] = ()) -> Sequence[Task]:
    """Read the tasks with these names, or all of them; see `load`."""
    return [load(each) for each in (list(chosen) or names())]


def _problems(task: Task) -> Iterator[str]:
    mentioned = {*task.file.devices, *(each for line in task.file.needs for each in line)}
    yield from (f"there is no device {each!r}" for each in sorted(mentioned - FLEET.keys()))
    if task.file.category not in CATEGORIES:
        yield f"there is no category {task.file.category!r}"
    yield from (f"there is no tag {each!r}" for each in task.file.tags if each not in TAGS)
    if ("replanning" in task.file.tags) != (task.folder / "revisions.yaml").is_file():
        yield "the tag replanning and revisions.yaml go together"
    if not task.subtasks:
        yield "check.py has no function whose name begins with check_"
    yield from (
        f"the harness gives {each!r} itself" for each in OWN if each in task.file.parameters
    )
    if task.plan.name != task.name:
        yield f"its playbook is called {task.plan.name!r}: it bears the name of its folder"
    words = dict.fromkeys((*OWN, *task.file.parameters), "x")
    if "{" in task.request(words) or "}" in task.request(words):
        yield "its request has braces around what is no parameter"
    elif task.plan.match(task.request(words)) is None:
        yield "its playbook does not match its request"
