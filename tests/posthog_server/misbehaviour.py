"""What may go wrong with one request. Each function makes an entry for `PostHogServer.script`."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posthog_server.capture import Reply
    from posthog_server.server import Handler

# Takes over from a handler that has read a request. `proceed` does what a good server does, and gives its reply.
Misbehaviour = Callable[["Handler", Callable[[], "Reply"]], None]


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Misbehaviour:
    """Says this, and takes nothing."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        handler.send(status, body, headers or {})

    return act


def hang() -> Misbehaviour:
    """Takes the request and never answers, until the server ends."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        handler.owner.ended.wait()
        handler.close_connection = True

    return act


def slowly(seconds: float) -> Misbehaviour:
    """Answers well, after a while."""

    def act(handler: Handler, proceed: Callable[[], Reply]) -> None:
        time.sleep(seconds)
        handler.send_reply(proceed())

    return act


def in_chunks() -> Misbehaviour:
    """Answers well, in chunks and without a length, as many proxies do."""

    def act(handler: Handler, proceed: Callable[[], Reply]) -> None:
        reply = proceed()
        handler.wfile.write(b"HTTP/1.1 %d OK\r\nTransfer-Encoding: chunked\r\n\r\n" % reply.status)
        for start in range(0, len(reply.body), 7):
            chunk = reply.body[start : start + 7]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    return act


def drip(seconds: float) -> Misbehaviour:
    """Takes nothing, and answers a byte at a time, for ever."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        with contextlib.suppress(OSError):
            while not handler.owner.ended.wait(seconds):
                handler.wfile.write(b" ")
        handler.close_connection = True

    return act


def babble() -> Misbehaviour:
    """Takes nothing, and answers far more than anybody wants to read."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        with contextlib.suppress(OSError):
            while not handler.owner.ended.is_set():
                handler.wfile.write(b" " * 65536)
        handler.close_connection = True

    return act


def reset() -> Misbehaviour:
    """Cuts the connection hard, and takes nothing."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        # A socket that does not linger sends RST when it is closed.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _cut(handler)

    return act


def half_close() -> Misbehaviour:
    """Says nothing more, but keeps its ear open."""

    def act(handler: Handler, _proceed: Callable[[], Reply]) -> None:
        handler.connection.shutdown(socket.SHUT_WR)
        handler.connection.settimeout(5)
        while handler.connection.recv(65536):
            pass
        handler.close_connection = True

    return act


def truncate() -> Misbehaviour:
    """Takes the events, and breaks its answer off in the middle."""

    def act(handler: Handler, proceed: Callable[[], Reply]) -> None:
        reply = handler.owner.leave_unconfirmed(proceed())
        handler.send(reply.status, reply.body, reply.headers, only_bytes=len(reply.body) // 2)
        _cut(handler)

    return act


def accept_then_cut() -> Misbehaviour:
    """Takes the events, and cuts the connection before it says so."""

    def act(handler: Handler, proceed: Callable[[], Reply]) -> None:
        handler.owner.leave_unconfirmed(proceed())
        _cut(handler)

    return act


def edit(change: Callable[[Reply], Reply]) -> Misbehaviour:
    """Takes the events, and says something else."""

    def act(handler: Handler, proceed: Callable[[], Reply]) -> None:
        handler.send_reply(change(dataclasses.replace(proceed())))

    return act


def _cut(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()
