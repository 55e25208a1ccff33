"""Conversations kept for replay: what was asked, and what came of it.

JSON lines in a folder, one file after the other; the oldest file goes when all together pass a
bound. A question is known again by the hash of its text, so a record answers whoever asks the
same, in the order in which it was asked.
"""

import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from pydantic import TypeAdapter
from pydantic_core import to_json

from orchestrator.planner import PlanningError
from orchestrator.planner.llm import texts
from protocol.chat.exchange import Call, Finish, Message, ModelError, Reply, Usage
from protocol.chat.redaction import redact
from protocol.types import Json, RunId

SIZE_BYTES: Final = 64 << 20
FILES: Final = 8
"""Files that share the bound."""
_PATTERN: Final = "exchanges-*.jsonl"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question, and its answer or the error that came in its place."""

    run: RunId
    call: Call
    reply: Reply | None
    error: str
    usage: Usage
    seconds: float


class Recorder(Protocol):
    """Keeps exchanges."""

    def record(self, exchange: Exchange) -> None:
        """Keep one. Called in a thread; it may block.

        Raises:
            PlanningError: it cannot be kept.
        """
        ...


class FolderRecorder:
    """Keeps exchanges in a folder, without secrets, readable to its owner alone.

    Args:
        folder: made if it is not there.
        size_bytes: of all files together.
        secrets: what must not get there, beside what looks like a credential.
    """

    def __init__(
        self, folder: Path, *, size_bytes: int = SIZE_BYTES, secrets: Iterable[str] = ()
    ) -> None:
        self._folder = folder
        self._size_bytes = size_bytes
        self._secrets = tuple(secrets)
        self._one_at_a_time = threading.Lock()

    def record(self, exchange: Exchange) -> None:
        """Append the exchange; one that alone is larger than a file may be is left out."""
        line = redact(to_json(_told(exchange)).decode(), self._secrets).encode() + b"\n"
        try:
            with self._one_at_a_time:
                self._append(line)
        except OSError as error:
            raise PlanningError(
                f"what was said to the model cannot be recorded in {self._folder}: {error}; "
                "make room, or take record out of [planner.llm]"
            ) from error

    def _append(self, line: bytes) -> None:
        room = self._size_bytes // FILES
        if len(line) > room:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = sorted(self._folder.glob(_PATTERN))
        number = int(files[-1].stem.rpartition("-")[2]) if files else 1
        if files and files[-1].stat().st_size + len(line) > room:
            number += 1
            for old in files[: max(0, len(files) + 1 - FILES)]:
                old.unlink()
        path = self._folder / f"exchanges-{number:08}.jsonl"
        path.touch(mode=0o600)
        with path.open("ab") as file:
            file.write(line)


class Replayed:
    """A model that says what it said before.

    Args:
        folder: what a `FolderRecorder` has kept.

    Raises:
        PlanningError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._answers: defaultdict[str, deque[_Record]] = defaultdict(deque)
        for path in sorted(folder.glob(_PATTERN)):
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
                records = [_RECORD.validate_json(line) for line in lines]
            except (OSError, ValueError) as error:
                raise PlanningError(f"{path} cannot be replayed: {error}; leave it out") from error
            for record in records:
                self._answers[record.question].append(record)

    async def complete(self, call: Call) -> Reply:
        """Give the next answer to this question.

        Raises:
            ModelError: it failed then, or was not asked so often.
        """
        answers = self._answers[_digest(call)]
        if not answers:
            raise ModelError("no (further) record of this question: record it with the model")
        record = answers.popleft()
        if record.finish is None:
            raise ModelError(record.error, usage=record.usage)
        return Reply(record.answer, record.finish, record.usage)


@dataclass(frozen=True, slots=True)
class _Record:
    version: int
    run: str
    question: str
    messages: tuple[Message, ...]
    form: str
    answer_tokens: int
    finish: Finish | None
    answer: str
    error: str
    usage: Usage
    seconds: float


_RECORD = TypeAdapter(_Record)


def _told(exchange: Exchange) -> Mapping[str, Json]:
    reply, call = exchange.reply, exchange.call
    return asdict(
        _Record(
            texts.VERSION,
            exchange.run,
            _digest(call),
            call.messages,
            call.form,
            call.answer_tokens,
            reply.finish if reply else None,
            reply.text if reply else "",
            exchange.error,
            exchange.usage,
            round(exchange.seconds, 3),
        )
    )


def _digest(call: Call) -> str:
    """Return the hash of a question: its words and the form of the answer."""
    said = to_json([call.form, *((each.role, each.text) for each in call.messages)])
    return hashlib.sha256(said).hexdigest()
