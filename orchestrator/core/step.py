"""One step of the engine: what a decision may do is emit facts and order commands."""

from orchestrator.core.apply import APPLY
from orchestrator.core.commands import Command
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.facts import Fact
from orchestrator.core.model import Now
from orchestrator.core.state import Device, Run, State
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, RunId


class Step:
    """Collects what follows from one event; facts take effect at once."""

    __slots__ = ("at", "commands", "facts", "now", "state", "tuning")

    def __init__(self, state: State, now: Now, tuning: Tuning) -> None:
        self.state = state
        self.now = now
        self.at = now.elapsed
        self.tuning = tuning
        self.facts: list[Fact] = []
        self.commands: list[Command] = []

    def emit(self, fact: Fact) -> None:
        """Let something have happened."""
        self.facts.append(fact)
        APPLY[type(fact)](self.state, fact)

    def order(self, command: Command) -> None:
        """Have something done once all facts so far are durable."""
        self.commands.append(command)

    def run(self, run: RunId) -> Run:
        """Return a run that a caller names.

        Raises:
            UnknownRunError: there is none.
        """
        try:
            return self.state.runs[run]
        except KeyError:
            raise UnknownRunError(f"there is no run {run!r}") from None

    def device(self, device: DeviceId) -> Device | None:
        """Return a device, if it has announced itself."""
        return self.state.devices.get(device)

    def epochs(self) -> dict[RunId, int]:
        """Return the epoch of every run that is not final."""
        runs = self.state.runs
        return {run: runs[run].epoch for run in self.state.live}
