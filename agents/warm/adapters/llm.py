"""Sessions of an OpenAI-compatible server: each keeps the prefix of its prompts in the KV cache.

To load a session is to have its prefix read (prefill), or restored; to evict it, to save and erase
it where the server can, else to ask no more. What keeps a prefix in the cache differs:

| server | load | with each request | evict |
| --- | --- | --- | --- |
| `plain` | prefill | | |
| `vllm` | prefill | `cache_salt`: its blocks are shared with no other session | |
| `llama.cpp` | restore to its slot, else prefill | `id_slot`, `cache_prompt` | save, erase |

llama.cpp saves where `--slot-save-path` says, under a name that this module makes; without it the
session is prefilled. The owner's `hints` go into every request, such as `keep_alive` where a
server knows it; in their texts `{session}` stands for the session's id.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from agents.keys import file_name, filled
from agents.skills import PermanentError, SkillError, TemporaryError
from agents.warm.adapters.http import Api
from protocol.types import Json

Prefix: TypeAlias = Callable[[str], Sequence[Mapping[str, Json]]]
"""The messages that all prompts of a session begin with, by its key."""

COMPLETIONS: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class ServerKind:
    """What a kind of server can do for a session."""

    hints: Mapping[str, Json]
    slots: bool = False
    """It has numbered slots, which can be saved, restored and erased."""


SERVERS: Final[Mapping[str, ServerKind]] = {
    "plain": ServerKind({}),
    "vllm": ServerKind({"cache_salt": "{session}"}),
    "llama.cpp": ServerKind({"cache_prompt": True}, slots=True),
}


@dataclass(frozen=True, slots=True)
class LlmSession:
    """A session, as skills see it."""

    id: str
    """The same whenever its key is loaded again."""
    prefix: tuple[Mapping[str, Json], ...]
    hints: Mapping[str, Json]
    """What goes into every request."""
    api: Api
    slot: int | None = None
    restored: bool = False
    """Whether its cache was restored, and not read anew."""

    async def chat(
        self, messages: Sequence[Mapping[str, Json]], **options: Json
    ) -> Mapping[str, Json]:
        """Complete the prefix and these messages; return the server's answer.

        Raises:
            TemporaryError: the server is not there, or too busy.
            PermanentError: it refuses.
        """
        body = {**self.hints, **options, "messages": [*self.prefix, *messages]}
        return await self.api.post(COMPLETIONS, body)


class LlmSessions:
    """The adapter.

    Args:
        url: of the server, without `/v1`.
        server: which kind it is, of `SERVERS`.
        model: what the server calls the model; left out of requests if empty.
        prefix: the messages that a session's prompts begin with; none if left out.
        slots: how many the server has, where it has them.
        hints: what goes into every request, instead of or beside what the kind has.
        headers: of every request, such as the key to the server.
    """

    def __init__(
        self,
        url: str,
        *,
        server: str = "plain",
        model: str = "",
        prefix: Prefix | None = None,
        slots: int = 1,
        hints: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._kind = SERVERS[server]
        named: Mapping[str, Json] = {"model": model} if model else {}
        self._hints = {**named, **self._kind.hints, **(hints or {})}
        self._prefix = prefix or (lambda _: ())
        self._free = list(range(slots)) if self._kind.slots else []
        self._headers = headers or {}

    async def load(self, key: str) -> LlmSession:
        """See `Adapter`."""
        if self._kind.slots and not self._free:
            raise TemporaryError("all slots of the server are in use")
        slot = heapq.heappop(self._free) if self._kind.slots else None
        name = file_name(key)
        hints = {
            each: filled(value, session=name) if isinstance(value, str) else value
            for each, value in self._hints.items()
        }
        if slot is not None:
            hints["id_slot"] = slot
        api: Api | None = None
        try:
            api = await Api.open(self._url, self._headers)
            restored = slot is not None and await _restored(api, slot, name)
            session = LlmSession(name, tuple(self._prefix(key)), hints, api, slot, restored)
            if session.prefix and not restored:
                await session.chat((), max_tokens=1)
        except BaseException:
            self._release(slot)
            if api:
                await api.close()
            raise
        return session

    async def evict(self, handle: LlmSession) -> None:
        """See `Adapter`."""
        try:
            if handle.slot is not None:
                with suppress(PermanentError):  # the server has no place to save to
                    await _slot(handle.api, handle.slot, "save", handle.id)
                await _slot(handle.api, handle.slot, "erase")
        finally:
            self._release(handle.slot)
            await handle.api.close()

    def size(self, handle: LlmSession) -> float | None:  # noqa: ARG002  no server tells
        """See `Adapter`."""
        return None

    def _release(self, slot: int | None) -> None:
        if slot is not None:
            heapq.heappush(self._free, slot)


async def _restored(api: Api, slot: int, name: str) -> bool:
    try:
        await _slot(api, slot, "restore", name)
    except TemporaryError:
        raise
    except SkillError:
        return False  # nothing was saved under that name
    return True


async def _slot(api: Api, slot: int, action: str, name: str = "") -> None:
    """Save, restore or erase a slot (llama.cpp, tools/server/README: `POST /slots/{id}`)."""
    body: Mapping[str, Json] = {"filename": f"{name}.bin"} if name else {}
    await api.post(f"/slots/{slot}?action={action}", body)
