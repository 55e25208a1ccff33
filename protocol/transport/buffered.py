"""A socket that reads ahead and can gather what is written.

paho reads a packet in four pieces and writes each packet by itself: six system calls for a message
and its acknowledgement, and the broker is woken by each of those written. With this in between it
is one of either. Reading ahead is what an `ssl.SSLSocket` does too, so `pending` says how much is
there, and whoever reads from those reads from this.
"""

import contextlib
import socket
import ssl
from typing import Final

AHEAD_BYTES: Final = 1 << 16
GATHERED_BYTES: Final = 1 << 16
_LATER: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket:
    """Stands before a socket that does not block."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._ahead, self._at = b"", 0
        self._gathering = False
        self._unsent = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        """Return up to `buffer_size` bytes, none at the end; raises what the socket raises."""
        if self._at == len(self._ahead):
            self._ahead, self._at = self._inner.recv(AHEAD_BYTES), 0
        piece = self._ahead[self._at : self._at + buffer_size]
        self._at += len(piece)
        return piece

    def pending(self) -> int:
        """Return how many bytes are there without asking the system."""
        inner = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return len(self._ahead) - self._at + inner

    def send(self, buffer: bytes | bytearray) -> int:
        """Take data, all of it where it is gathered: what is large is not, since it may wait.

        Raises:
            BlockingIOError: there is no room now.
        """
        if self._gathering and len(self._unsent) + len(buffer) <= GATHERED_BYTES:
            self._unsent += buffer
            return len(buffer)
        if not self._sent():
            raise BlockingIOError
        return self._inner.send(buffer)

    def gather(self) -> None:
        """Keep what is sent until the flush."""
        self._gathering = True

    def flush(self) -> bool:
        """Send what was gathered; tell whether that was all, else flush again when writable.

        Raises:
            OSError: the connection is lost.
        """
        self._gathering = False
        return self._sent()

    def _sent(self) -> bool:
        if self._unsent:
            with contextlib.suppress(*_LATER):
                del self._unsent[: self._inner.send(self._unsent)]
        return not self._unsent

    def close(self) -> None:
        """Send what still can be, and close."""
        with contextlib.suppress(OSError):
            self.flush()
        self._inner.close()

    def fileno(self) -> int:
        """Return the number of the socket, for those who wait for it."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - socket's signature
        """Make the socket block, or not."""
        self._inner.setblocking(flag)
