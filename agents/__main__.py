"""`python -m agents`: the daemon alone, without the rest of the `muster` command."""

from agents.cli import app

if __name__ == "__main__":
    app(prog_name="muster agent")
