import socket
import struct

from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.pages import Page, Server, Site, serving


def test_who_asked_and_was_killed_is_not_told_of(capsys):
    with serving() as pages:
        site = pages.sites["f"] = Site({"a": Page(bytes(10_000_000))})
        with socket.create_connection(("127.0.0.1", pages.port)) as killed:
            at_once = struct.pack("ii", 1, 0)  # no goodbye: as the kernel does for the dead
            killed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            killed.sendall(b"GET /f/a HTTP/1.0\r\n\r\n")
            killed.recv(100)
    assert [each.path for each in site.requests] == ["a"]
    assert capsys.readouterr().err == ""


def test_nobody_of_the_fleet_waits_to_be_let_in():
    assert Server.request_queue_size >= sum(each.hardware.slots for each in FLEET.values())
