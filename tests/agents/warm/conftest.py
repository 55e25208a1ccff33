"""What these tests share: a session with a pool, and a small LLM server of each known API."""

import asyncio
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from agents.session import Session
from agents.warm.pool import Pool
from tests.support.agents import new_session


@pytest.fixture
def session():
    return new_session(kind=Session, pool=Pool({"model": 8.0}))


class LlmServer:
    """Keeps prefixes as these servers do, and says how many messages it had to read anew."""

    def __init__(self, *, slots=0, saves=True):
        self.slots = {number: [] for number in range(slots)}
        self.saved = {}
        self.blocks = {}
        self.saves = saves
        self.requests = []
        self.status = 200
        self.raw = None
        self.delay_s = 0.0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
                body = json.loads(await reader.readexactly(length))
                path = head.split(b" ")[1].decode()
                self.requests.append((path, body, head.decode()))
                await asyncio.sleep(self.delay_s)
                status, answer = self._answer(path, body)
                payload = self.raw if self.raw is not None else json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-length: {len(payload)}\r\n\r\n".encode()
                    + payload
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path, body):
        if self.status != 200:
            return self.status, {"error": "no"}
        url = urlsplit(path)
        if url.path == "/v1/chat/completions":
            return 200, self._complete(body)
        number = int(url.path.rpartition("/")[2])
        return self._slot(number, parse_qs(url.query)["action"][0], body.get("filename"))

    def _complete(self, body):
        messages = body["messages"]
        if "id_slot" in body and body.get("cache_prompt"):
            known = self.slots[body["id_slot"]]
        else:
            known = self.blocks.setdefault(body.get("cache_salt"), [])
        same = 0
        while same < min(len(known), len(messages)) and known[same] == messages[same]:
            same += 1
        known[:] = messages
        return {"choices": [], "read": len(messages) - same}

    def _slot(self, number, action, filename):
        if action in {"save", "restore"} and not self.saves:
            return 501, {"error": "start it with --slot-save-path"}
        if action == "save":
            self.saved[filename] = list(self.slots[number])
        elif action == "restore":
            if filename not in self.saved:
                return 400, {"error": "no such file"}
            self.slots[number] = list(self.saved[filename])
        else:
            self.slots[number] = []
        return 200, {"id_slot": number}


@pytest.fixture
def llm_server():
    return LlmServer
