"""A model that says what it is told to, on the loop's clock."""

import asyncio
import json

from protocol.chat.exchange import Finish, Reply, Usage

USAGE = Usage(1000, 100)


class ScriptedModel:
    """A model that says each of these once; an error is raised, a number is thought so long."""

    def __init__(self, *script):
        self.calls = []
        self.at = []
        self._script = list(script)

    async def complete(self, call):
        self.calls.append(call)
        self.at.append(asyncio.get_running_loop().time())
        said = self._script.pop(0)
        if isinstance(said, float):
            await asyncio.sleep(said)
            said = self._script.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Reply):
            return said
        return Reply(said if isinstance(said, str) else json.dumps(said), Finish.STOP, USAGE)

    @property
    def last(self):
        """What was said to it last."""
        return self.calls[-1].messages[-1].text
