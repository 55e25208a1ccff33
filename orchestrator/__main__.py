"""The `muster` command: the commands of every installed side, as one."""

import errno
import sys
from importlib.metadata import entry_points, version
from typing import Annotated, Final, NoReturn

import typer

GROUP: Final = "muster.commands"
BAD_INPUT: Final = 2


def compose() -> typer.Typer:
    """Return one app with the commands of each app that an entry point of `GROUP` names."""
    whole = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    whole.callback()(about)
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        side: typer.Typer = entry.load()
        whole.registered_commands += side.registered_commands
        whole.registered_groups += side.registered_groups
    return whole


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"muster {version('muster')}")
        raise typer.Exit


def about(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say it, and stop."),
    ] = False,
) -> None:
    """One request, many devices: plan, schedule and follow what they do together."""


def main() -> None:
    """Run the command line, and end with its exit code; errors are one line."""
    try:
        code = compose()(prog_name="muster", standalone_mode=False)
    except typer.TyperException as error:
        _wrong(error)
    except KeyboardInterrupt:  # before a command has begun, which may take a second
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(f"muster: what was to be printed has no room: {error.strerror}")
    sys.exit(code)


def _translate(error: typer.TyperException) -> None:
    """Put our words in the place of pydantic's, which reads the options' values."""
    cause = error.__cause__
    if isinstance(error, typer.BadParameter) and cause is not None:
        from pydantic import ValidationError  # noqa: PLC0415 - most command lines are right

        from protocol.sentences import complaint  # noqa: PLC0415

        if isinstance(cause, ValidationError):
            error.message = complaint(cause)


def _wrong(error: typer.TyperException) -> NoReturn:
    """End because the command line makes no sense."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "muster"
    if len(sys.argv) == 1 and context:
        typer.echo(context.get_help())
    else:
        _translate(error)
        said = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
        typer.echo(f"muster: {said.rstrip('.')}; see `{command} --help`", err=True)
    sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
