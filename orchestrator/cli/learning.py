"""`muster learn` and `muster tips`: what finished runs taught. They read files, and ask nobody."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from orchestrator.cli.calling import (
    ConfigOption,
    Exit,
    JsonOption,
    console,
    fail,
    one_line_errors,
    print_json,
    read_settings,
)
from orchestrator.experience import wall
from orchestrator.planner.memory import (
    RULE,
    Candidate,
    LearningError,
    Memory,
    Work,
    adopt,
    answering,
    difference,
)
from orchestrator.planner.playbook import Playbook, PlaybookPlanner
from orchestrator.render import tables
from protocol.nearest import nearest
from protocol.types import Json

app = typer.Typer()
learn = typer.Typer()
app.add_typer(learn, name="learn")

NameArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="As `muster learn` lists it.")
]
_DAY: Final = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the settings of this machine name."""

    memory: Memory
    into: Path
    playbooks: Mapping[str, Playbook]

    def work(self, name: str) -> Work:
        """Return a work, or end."""
        works = {work.name: work for work in self.memory.works()}
        if name not in works:
            fail(f"there is no candidate {name!r}{nearest(name, works)}", Exit.BAD_INPUT)
        return works[name]

    def adopted(self, work: Work) -> Playbook | None:
        """Return the playbook that a work has become, as it is now."""
        return self.playbooks.get(work.adopted) if work.adopted else None

    def answering(self, work: Work) -> Sequence[str]:
        """Return the names of the playbooks that answer its requests."""
        return [each.name for each in answering(work, self.playbooks.values())]


def _learned(config: Path | None) -> _Learned:
    settings = read_settings(config, None)
    folder, into = settings.memory.folder, settings.memory.learned
    if folder is None or into is None:
        fail(
            'nothing is learned: set folder = "memory" in [memory] of muster.toml', Exit.BAD_INPUT
        )
    memory = Memory(folder, now=wall)
    for problem in memory.problems:
        typer.echo(f"muster: left out: {problem}", err=True)
    return _Learned(memory, into, PlaybookPlanner(settings.playbook_folders).playbooks)


@learn.callback(invoke_without_command=True)
def listed(
    context: typer.Context, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List what finished runs taught: candidates for playbooks, how often seen, and how they did.

    What the rule adopted is retracted if it fails: then its file is in `retracted` of the memory.

    Planners use a candidate as an example; `muster learn adopt` makes a playbook of it.
    """
    if (command := context.invoked_subcommand) is not None:
        if as_json or config:
            fail(f"options come after the command: muster learn {command} …", Exit.BAD_INPUT)
        return
    with one_line_errors():
        learned = _learned(config)
    works = learned.memory.works()
    if as_json:
        print_json([_document(learned, work) for work in works])
        return
    shown = tables.table(
        *("candidate", "succeeded", "failed", "last", "parameters", "as in", "playbook"),
        long=("parameters", "as in"),
    )
    for work in works:
        names = ", ".join(_parameters(work))
        tables.add(
            shown,
            work.name,
            str(work.successes),
            str(work.failures),
            time.strftime(_DAY, time.localtime(work.wall)),
            names,
            work.samples[-1].request,
            _playbook(learned, work),
        )
    console().print(shown)


@learn.command()
def show(name: NameArgument, *, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show a candidate as a playbook, and what adopting it would change."""
    with one_line_errors():
        learned = _learned(config)
        work = learned.work(name)
        found, there = work.candidate(), learned.adopted(work)
        changes = difference(found, there) if there else ""
    if as_json:
        told = {"playbook": found.text, "unsaid": [*found.unsaid], "difference": changes}
        print_json({**_document(learned, work), **told})
        return
    typer.echo(found.text, nl=False)
    if (trial := _trial(work)) is not None:
        typer.echo(f"# {trial}")
    for each in found.unsaid:
        typer.echo(f"# {each} differed, and no request said so: look at it")
    if there:
        typer.echo(f"\n{changes}" if changes else f"# the same as {there.source}", nl=not changes)


@learn.command(name="adopt")
def adopting(
    name: NameArgument,
    *,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Else: adopt_into of [memory].")
    ] = None,
    called: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What to call the playbook.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the playbook of that name.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Make a playbook of a candidate; a running coordinator answers from it at once."""
    with one_line_errors():
        learned = _learned(config)
        work = learned.work(name)
        found = work.candidate(name=called)
        into = into or learned.into
        if not replace:
            _check_nobody_has(found.name, into, learned.playbooks)
        _check_nobody_answers(work, found, learned.playbooks)
        path = adopt(found, into, replace=replace)
        learned.memory.adopted(work.name, found.name)
    typer.echo(path)


@learn.command()
def forget(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Remove a candidate; a playbook that it has become stays."""
    with one_line_errors():
        learned = _learned(config)
        learned.memory.forget(learned.work(name).name)
    typer.echo(f"{name} is forgotten")


@app.command()
def tips(
    request: Annotated[
        str | None, typer.Argument(metavar="REQUEST", help="Only what a planner would be told.")
    ] = None,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what failed before, and what then worked; for a request, similar works too."""
    with one_line_errors():
        learned = _learned(config)
        found = learned.memory.find(request, learned.playbooks.values()) if request else ()
        skills = {skill for each in found for skill in each.known.skills}
        told = learned.memory.tips_for(request, skills) if request else learned.memory.all_tips()
    if as_json:
        works = [{"name": each.known.name, "line": each.line} for each in found]
        print_json({"works": works, "tips": [{**t.model_dump(), "line": t.line} for t in told]})
        return
    for line in (*(each.line for each in found), *(each.line for each in told)):
        typer.echo(line)


def _check_nobody_has(name: str, into: Path, playbooks: Mapping[str, Playbook]) -> None:
    """End if a playbook of that name is elsewhere: one of the two would hide the other."""
    there = playbooks.get(name)
    if there is not None and Path(there.source).parent != into:
        fail(f"{there.source} is {name!r} already: choose --as NAME, or --replace", Exit.FAILED)


def _check_nobody_answers(work: Work, found: Candidate, playbooks: Mapping[str, Playbook]) -> None:
    """End if requests of a work would fit another playbook too: planners then take neither."""
    for each in answering(work, playbooks.values()):
        if each.name != found.name:
            fail(
                f"{each.source} answers such requests already: remove it, or take its place with"
                f" --as {each.name} --replace",
                Exit.FAILED,
            )


def _parameters(work: Work) -> Sequence[str]:
    try:
        return [*work.candidate().playbook.part.parameters]
    except LearningError as error:
        return [f"none: {error}"]


def _playbook(learned: _Learned, work: Work) -> str:
    """Say which playbook answers requests of a work, and how that which the rule made does."""
    names = work.adopted or ", ".join(learned.answering(work))
    if work.digest and work.against:
        return f"{names} (on trial: {work.against} of {RULE.failures} against it)"
    if work.retractions and not work.adopted:
        return f"{names} (retracted)".lstrip()
    return names


def _trial(work: Work) -> str | None:
    """Say what became of the playbook that the rule made of a work; None: nothing to tell."""
    why = f", the last time: {work.last_failure}" if work.last_failure else ""
    if work.digest and work.against:
        times = f"{work.against} of {RULE.failures} failures that take it back"
        return f"adopted by the rule; {times}{why}"
    if work.retractions and not work.adopted:
        again = f"it adopts again after {RULE.wanted(work.retractions)} successes in a row"
        return f"retracted by the rule{why}; {again}, {work.streak} so far"
    return None


def _document(learned: _Learned, work: Work) -> Mapping[str, Json]:
    return {
        "name": work.name,
        "successes": work.successes,
        "streak": work.streak,
        "failures": work.failures,
        "wall": work.wall,
        "adopted": work.adopted,
        "by_rule": work.digest != "",
        "against": work.against,
        "retractions": work.retractions,
        "last_failure": work.last_failure,
        "answered_by": [*learned.answering(work)],
        "parameters": [*_parameters(work)],
        "requests": [each.request for each in work.samples],
        "runs": [each.run for each in work.samples],
    }
