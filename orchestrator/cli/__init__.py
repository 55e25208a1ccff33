"""`muster`: the coordinator, and everything that people ask of one.

`serving` runs things, `running` submits and follows, `looking` shows, `fetching` saves, `steering`
changes, `learning` shows what runs taught; `calling` is what they share. Exit codes are those of
`calling.Exit`.
"""

import typer

from orchestrator.cli import fetching, learning, looking, running, serving, steering

app = typer.Typer(no_args_is_help=True)
for module in (running, looking, fetching, steering, learning, serving):
    app.registered_commands += module.app.registered_commands
    app.registered_groups += module.app.registered_groups
