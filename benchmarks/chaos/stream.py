"""A steady stream of runs, submitted and followed as any client of a coordinator does.

So many runs are open at a time; where one ends the next is submitted. Whatever fails because
somebody was killed is tried again, a submission with its own key.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Final, TypeVar, cast

from benchmarks.chaos import workload
from benchmarks.chaos.evidence import FinalState, Success, Told
from orchestrator.cli.calling import every
from orchestrator.cli.following import batches
from orchestrator.client import CallFailedError, Client, ClientError
from orchestrator.service.documents import Event
from protocol.types import FailureKind, Json

OPEN_RUNS: Final = 8
PAUSE_S: Final = 0.5
MOVING: Final = frozenset({"AttemptSucceeded", "TaskUnknown", "TaskFailed", "TaskCancelled"})
T = TypeVar("T")


class Stream:
    """Submits runs until it is closed, and collects what is told of them."""

    def __init__(self, client: Client, *, seed: int, log: str) -> None:
        self.told: list[Told] = []
        self._client = client
        self._seed = seed
        self._log = log
        self._numbers = count()
        self._closed = False
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Keep so many runs open until closed, and return when the last of them has ended."""
        async with asyncio.TaskGroup() as group:
            for n in range(OPEN_RUNS):
                group.create_task(self._submit_on(), name=f"submitter {n}")

    def close(self) -> None:
        """Submit no more."""
        self._closed = True

    async def news(self) -> None:
        """Wait until something is told of a run."""
        self._news.clear()
        await self._news.wait()

    async def listed(self) -> Mapping[str, Sequence[str]]:
        """Return all runs that the coordinator lists, by their requests."""
        answer = await _insist(partial(every, self._client, "runs", {}))
        found = defaultdict[str, list[str]](list)
        for each in cast("list[Mapping[str, str]]", answer["runs"]):
            found[each["request"]].append(each["run"])
        return found

    async def _submit_on(self) -> None:
        while not self._closed:
            number = next(self._numbers)
            told = Told(f"chaos {number}")
            self.told.append(told)
            plan = workload.plan(number, seed=self._seed, log=self._log)
            args: Mapping[str, Json] = {"request": told.request, "key": told.request, "plan": plan}
            answer = await _insist(partial(self._client.call, "submit", args))
            told.run = str(answer["run"])
            try:
                await self._follow(told)
            except CallFailedError as error:
                told.denied = str(error)

    async def _follow(self, told: Told) -> None:
        after = 0

        async def follow() -> None:
            nonlocal after
            async for events, _ in batches(self._client, told.run, after):
                for event in events:
                    after = event["seq"]
                    take(told, event)
                if events:
                    self._news.set()

        await _insist(follow)
        shown = await _insist(partial(every, self._client, "show", {"run": told.run}))
        for task in cast("list[Mapping[str, Mapping[str, Json]]]", shown["tasks"]):
            spec = task["spec"]
            joins = spec["for_each"] is not None and task["parent"] is None
            told.tasks[str(spec["id"])] = FinalState(
                str(task["state"]), str(spec["skill"]), str(task["reason"]), executes=not joins
            )


def take(told: Told, event: Event) -> None:
    """Note what an event says."""
    fact, data = event["fact"], event["data"]
    task = str(data.get("task"))
    match fact:
        case "RunEnded":
            told.status = str(data["status"])
        case "TaskPlaced":
            told.placed[str(data["attempt"])] = event["seq"]
        case "AttemptSucceeded":
            told.successes[task] = Success(str(data["attempt"]), event["seq"], event["wall"])
        case "TaskUnknown":
            told.unknown.add(task)
        case _:
            pass
    if fact in MOVING:
        told.news.append((event["wall"], task))


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    """Call again until there is an answer.

    Raises:
        CallFailedError: the answer is that the call makes no sense.
    """
    while True:
        try:
            return await call()
        except CallFailedError as error:
            if error.kind is FailureKind.BAD_INPUT:
                raise
        except ClientError:
            pass
        await asyncio.sleep(PAUSE_S)
