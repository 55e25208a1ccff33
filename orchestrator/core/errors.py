"""Errors of the orchestrator package.

```
OrchestratorError
├── InvalidTransitionError   a state machine was asked for a row its table lacks: our bug
├── InvariantError           an invariant does not hold: our bug
├── UnknownRunError          no run has this id
├── RequestError             a caller asked for what cannot be done; nothing changed
│   └── EditRefusedError     a batch of edits was refused whole, with reasons
└── (journal, settings and planner errors live beside their modules)
```
"""

from collections.abc import Sequence

from orchestrator.core.edits import Reason


class OrchestratorError(Exception):
    """Root of everything this package raises."""


class InvalidTransitionError(OrchestratorError):
    """A state machine was asked for a row its table lacks: our bug."""

    def __init__(self, what: str, state: str, cause: str) -> None:
        super().__init__(f"{what} is {state}: {cause} is not possible")
        self.state = state
        self.cause = cause


class InvariantError(OrchestratorError):
    """An invariant does not hold: our bug. `invariant` is its number, such as ``I4``."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant


class UnknownRunError(OrchestratorError):
    """No run has this id."""


class RequestError(OrchestratorError):
    """A caller asked for what cannot be done; nothing changed."""


class EditRefusedError(RequestError):
    """A batch of edits was refused whole."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(reason.detail for reason in reasons))
        self.reasons = tuple(reasons)
