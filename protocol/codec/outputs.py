"""Output that a foreign agent streams ahead of its final state, kept within bounds.

Our agents send output and state in one message; others send artifacts first (possibly in chunks)
and COMPLETED after. Per attempt at most `MAX_PAYLOAD_BYTES` are kept; over that, or when all
attempts together pass `MAX_TOTAL_BYTES` (the oldest goes first), the output is lost and its
attempt will be told so. Of more than `MAX_ATTEMPTS` attempts the oldest is forgotten. A repeated
chunk cannot be told from a further one that says the same, and is kept.
"""

from typing import Final

from protocol.a2a import Part, TaskArtifactUpdateEvent
from protocol.codec.jsonrpc import MAX_PAYLOAD_BYTES
from protocol.types import AttemptId

MAX_TOTAL_BYTES: Final = 16 << 20
MAX_ATTEMPTS: Final = 1024


class _Output:
    def __init__(self) -> None:
        self.artifacts: dict[str, list[Part]] = {}
        self.payload_bytes = 0
        self.lost = False

    def lose(self) -> int:
        freed, self.payload_bytes = self.payload_bytes, 0
        self.artifacts.clear()
        self.lost = True
        return freed


class PartialOutputs:
    """Artifacts by attempt, until the attempt ends."""

    def __init__(self) -> None:
        self._attempts: dict[AttemptId, _Output] = {}
        self._total_bytes = 0

    def add(
        self, attempt: AttemptId, update: TaskArtifactUpdateEvent, *, payload_bytes: int
    ) -> None:
        """Keep an artifact, or a further chunk of one; without `append` it replaces its like."""
        output = self._attempts.setdefault(attempt, _Output())
        if output.lost:
            return
        artifact = update["artifact"]
        known = output.artifacts.setdefault(artifact.get("artifactId", ""), [])
        if not update.get("append"):
            known.clear()
        known.extend(artifact["parts"])
        output.payload_bytes += payload_bytes
        self._total_bytes += payload_bytes
        if output.payload_bytes > MAX_PAYLOAD_BYTES:
            self._total_bytes -= output.lose()
        self._bound()

    def take(self, attempt: AttemptId) -> list[Part] | None:
        """Return what was kept for an attempt and forget it; None if it was too much to keep."""
        output = self._attempts.pop(attempt, None)
        if output is None:
            return []
        self._total_bytes -= output.payload_bytes
        if output.lost:
            return None
        return [part for parts in output.artifacts.values() for part in parts]

    def _bound(self) -> None:
        if len(self._attempts) > MAX_ATTEMPTS:
            self._total_bytes -= self._attempts.pop(next(iter(self._attempts))).lose()
        while self._total_bytes > MAX_TOTAL_BYTES:
            kept = (output for output in self._attempts.values() if not output.lost)
            self._total_bytes -= next(kept).lose()
