"""What is read ahead and what is gathered."""

import socket
from contextlib import suppress

import pytest

from protocol.transport.buffered import GATHERED_BYTES, BufferedSocket


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        buffered = BufferedSocket(ours)
        buffered.setblocking(flag=False)
        yield buffered, theirs


def fill(ours):
    """Send until there is no room; return how many bytes went."""
    went = 0
    with suppress(BlockingIOError):
        while True:
            went += ours.send(bytes(GATHERED_BYTES))
    return went


def drain(theirs, count):
    while count:
        count -= len(theirs.recv(count))


def test_one_read_serves_all_pieces_of_a_packet(ends):
    ours, theirs = ends
    theirs.send(b"a packet")
    first = ours.recv(1)
    theirs.send(b"another")

    assert (first, ours.recv(7), ours.pending()) == (b"a", b" packet", 0)
    assert (ours.recv(3), ours.pending()) == (b"ano", 4)


def test_nothing_to_read_is_said_as_the_socket_says_it(ends):
    ours, theirs = ends
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    theirs.close()

    assert ours.recv(1) == b""


def test_what_is_gathered_leaves_with_the_flush_in_order(ends):
    ours, theirs = ends
    ours.send(b"0")
    ours.gather()
    ours.send(b"1")
    ours.send(b"2")
    assert theirs.recv(10) == b"0"
    assert ours.flush()
    ours.send(b"3")

    assert theirs.recv(10) == b"123"


def test_what_is_large_is_not_gathered_and_keeps_its_place(ends):
    ours, theirs = ends
    theirs.settimeout(1)
    ours.gather()
    ours.send(b"1")
    sent = ours.send(b"2" * (GATHERED_BYTES + 1))

    assert theirs.recv(1) == b"1"
    drain(theirs, sent)
    assert ours.flush()


def test_what_finds_no_room_waits_and_nothing_overtakes_it(ends):
    ours, theirs = ends
    full = fill(ours)
    ours.gather()
    ours.send(b"1")
    assert not ours.flush()
    with pytest.raises(BlockingIOError):
        ours.send(b"2")
    drain(theirs, full)
    ours.send(b"3")

    assert theirs.recv(2, socket.MSG_WAITALL) == b"13"


def test_close_sends_what_was_gathered(ends):
    ours, theirs = ends
    ours.gather()
    ours.send(b"farewell")
    ours.close()

    assert theirs.recv(10) == b"farewell"


def test_close_of_a_lost_connection_is_quiet(ends):
    ours, theirs = ends
    theirs.close()
    ours.gather()
    ours.send(b"farewell")
    ours.close()

    assert ours.fileno() == -1
