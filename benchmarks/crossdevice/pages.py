"""The local HTTP service of the suite: pages by path, some of which fail, and what was asked."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from protocol.types import Json

GONE: Final = 404


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered, `delay_s` later; the first `fails` requests are answered with 503."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    delay_s: float = 0.0
    fails: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the service; `body` is JSON where it is any, else text."""

    method: str
    path: str
    body: Any


@dataclass(slots=True)
class Site:
    """The pages of one play, by the path below its own."""

    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)

    def answer(self, request: Request) -> Page:
        """Note a request, and return what is answered; anything may be posted anywhere."""
        self.requests.append(request)
        page = self.pages.get(request.path)
        if page is None:
            posted = request.method not in ("GET", "HEAD")
            return Page(
                b'{"ok": true}' if posted else b"", "application/json", 200 if posted else GONE
            )
        self._asked[request.path] += 1
        if self._asked[request.path] <= page.fails:
            return Page(b"try again", "text/plain", 503)
        return page


class Pages:
    """The service. Sites come and go by name, the first step of the path."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sites: dict[str, Site] = {}

    def url(self, name: str) -> str:
        """Return where a site begins, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}/{name}"


@contextmanager
def serving() -> Iterator[Pages]:
    """Serve on a free port of the loopback interface, in threads, while the context lasts."""
    pages = Pages(0)
    server = Server(("127.0.0.1", 0), partial(_Handler, pages))
    pages.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Server(ThreadingHTTPServer):
    """Takes calls of every slot of the fleet at once."""

    daemon_threads = True
    request_queue_size = 128  # beyond it a connection is tried again after a whole second


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    def __init__(self, pages: Pages, *args: Any) -> None:  # noqa: ANN401  socketserver's own
        self._pages = pages
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        with suppress(ConnectionError):  # who asked was killed, or told to stop
            self._answered()

    def _answered(self) -> None:
        name, _, path = self.path.lstrip("/").partition("?")[0].partition("/")
        site = self._pages.sites.get(name)
        text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode(
            errors="replace"
        )
        page = site.answer(Request(self.command, path, _parsed(text))) if site else NOTHING
        time.sleep(page.delay_s)
        self.send_response(page.status)
        self.send_header("content-type", page.content_type)
        self.send_header("content-length", str(len(page.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  theirs


NOTHING: Final = Page(b"", "text/plain", GONE)


def _parsed(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value
