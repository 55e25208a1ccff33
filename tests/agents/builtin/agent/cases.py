"""A device with a few skills, and a model that plays a script: what these tests share."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

from agents.agent_settings import AgentSection
from agents.builtin import agent
from agents.skills import Context, Json, PermanentError, Skill, TemporaryError, skill
from protocol.chat import Finish, Reply, ToolCall, Usage
from protocol.types import AttemptId, Effect, Failed, RunId, Succeeded, TaskId, Unknown

CONTEXT = Context(attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"), token=1, epoch=1)
KEY = "a-key-of-ours-1"


class Device:
    """Skills that note what they did."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.news = asyncio.Event()
        """Set with the first line that is appended."""
        self.look_up = Unknown("who knows")
        """What the `reconcile` of `send` says."""

        @skill("files.read")
        async def read(path: str) -> str:
            """Read a file."""
            self.done.append(("read", path))
            return f"text of {path}"

        @skill("files.write", effect=Effect.IDEMPOTENT)
        async def write(path: str, text: str) -> int:
            """Write a file."""
            self.done.append(("write", f"{path}: {text}"))
            return len(text)

        @skill("files.append", effect=Effect.ONCE)
        async def append(context: Context, path: str, line: str) -> None:
            """Append a line."""
            context.guard()
            self.done.append(("append", f"{path}: {line} as {context.attempt}"))
            self.news.set()
            context.progress(0.5, "halfway")
            if path == "/slow":
                await asyncio.sleep(100)
            if path == "/full":
                raise TemporaryError("no space left")

        async def look(_context: Context, args: object) -> Succeeded | Failed | Unknown:
            self.done.append(("look", json.dumps(args)))
            return self.look_up

        @skill("mail.send", effect=Effect.ONCE, reconcile=look)
        async def send(context: Context, text: str) -> str:
            """Send a mail."""
            self.done.append(("send", text))
            await asyncio.sleep(100)
            return f"sent {text} {context.attempt}"

        @skill("nap")
        async def nap(seconds: float) -> None:
            """Sleep."""
            await asyncio.sleep(seconds)

        @skill("broken")
        async def broken() -> int:
            """Never work."""
            raise PermanentError("it is broken, and the key is " + KEY)

        self.skills: Sequence[Skill] = (read, write, append, send, nap, broken)


def says(*calls: tuple[str, object], text: str = "", finish: Finish = Finish.STOP) -> Reply:
    """An answer that calls tools, or has a text."""
    asked = tuple(
        ToolCall(f"id-{n}", name, args if isinstance(args, str) else json.dumps(args))
        for n, (name, args) in enumerate(calls)
    )
    return Reply(text, finish, Usage(100, 10), asked)


class Scripted:
    """A model that answers from a script; what is an error is raised, a number slept."""

    def __init__(self, *script: Reply | Exception | float) -> None:
        self.asked = []
        self._script = iter(script)

    async def complete(self, call):
        self.asked.append(call)
        for each in self._script:
            if isinstance(each, float):
                await asyncio.sleep(each)
            elif isinstance(each, Exception):
                raise each
            else:
                return each
        raise AssertionError("the script has ended")

    def told(self, n: int = -1) -> list[str]:
        """What the model was told of the calls of its last answer, in the n-th question."""
        texts: list[str] = []
        for each in reversed(self.asked[n].messages):
            if each.role != "tool":
                break
            texts.insert(0, each.text)
        return texts


def section(**more: object) -> AgentSection:
    options = {"base_url": "http://127.0.0.1:1/v1", "model": "m", "allow": ("*",)}
    return AgentSection(**{**options, **more})


def made(model, device, *, folder=None, permits=lambda _: True, **settings) -> Skill:
    """Make the skill."""
    [made] = agent.skills(
        section(**settings), device.skills, permits=permits, folder=folder, model=model
    )
    return made


async def work(model, device, *, context=CONTEXT, args=None, **more) -> Json:
    """Have a task done, as the runtime does."""
    return await made(model, device, **more).call(context, {"task": "Do it.", **(args or {})})


def later(n: int = 2) -> Context:
    """The context of a later attempt of the same task."""
    return replace(CONTEXT, attempt=AttemptId(f"a{n}"), token=n)
