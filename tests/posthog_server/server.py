"""The HTTP server around `capture.handle`, in a thread of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from posthog_server.capture import PATHS, Accepted, Limits, Reply, count, handle
from posthog_server.misbehaviour import Misbehaviour


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that the server has read, whatever it then did."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Listener

    @property
    def owner(self) -> PostHogServer:
        return self.server.owner

    def setup(self) -> None:
        super().setup()
        self.owner.connections.add(self.connection)
        self.owner.connected.append(self.client_address[1])

    def finish(self) -> None:
        self.owner.connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._read_body(headers)
        path = self.path.partition("?")[0].rstrip("/")
        self.owner.saw(Seen(path, headers, body, time.monotonic()))
        act = self.owner.next_misbehaviour()
        if act is not None:
            act(self, lambda: self.owner.take(path, headers, body))
        else:
            self.send_reply(self.owner.take(path, headers, body))

    def send_reply(self, reply: Reply) -> None:
        self.send(reply.status, reply.body, reply.headers)

    def send(self, status: int, body: bytes, headers: Mapping[str, str], only_bytes: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:only_bytes])
        self.wfile.flush()

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = bytearray()
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                chunks += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(chunks)
        return self.rfile.read(int(headers.get("content-length", "0")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's.
        pass


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    # A handler that hangs must not hold up the end of a test.
    block_on_close = False
    request_queue_size = 64

    def __init__(self, owner: PostHogServer, family: socket.AddressFamily, address: tuple[str, int]) -> None:
        self.owner = owner
        self.address_family = family
        super().__init__(address, Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are part of the tests."""


class PostHogServer:
    """A PostHog on loopback.

    Args:
        missing: Paths that this version does not know: it answers 404.
        limits: Its caps.
        ipv6: Listens on `::1`.
        tls: Speaks https with this context.
        port: A fixed port, to come back where another server was.
    """

    def __init__(
        self,
        *,
        missing: Iterable[str] = (),
        limits: Limits = Limits(),  # noqa: B008 - it is frozen.
        ipv6: bool = False,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.missing = {path.rstrip("/") for path in missing}
        self.limits = limits
        self.script: deque[Misbehaviour] = deque()
        self.always: Misbehaviour | None = None
        self.accepted: list[Accepted] = []
        self.unconfirmed: list[str] = []
        self.requests: list[Seen] = []
        self.verdicts: dict[str, deque[tuple[str, str]]] = {}
        self.connections: set[socket.socket] = set()
        # The client's port of each connection that was ever made.
        self.connected: list[int] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._listener = _Listener(self, family, ("::1" if ipv6 else "127.0.0.1", port))
        if tls is not None:
            self._listener.socket = tls.wrap_socket(self._listener.socket, server_side=True)
        self._scheme = "http" if tls is None else "https"
        self._host = "[::1]" if ipv6 else ("localhost" if tls else "127.0.0.1")
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self._host}:{self.port}"

    @property
    def copies(self) -> dict[str, int]:
        """How often each uuid was accepted."""
        with self._lock:
            return count(event.uuid for event in self.accepted)

    @property
    def paths(self) -> list[str]:
        """The path of each request, in order."""
        with self._lock:
            return [seen.path for seen in self.requests]

    def judge(self, identifier: str, *verdicts: tuple[str, str]) -> None:
        """Orders verdicts (result and details) for the next times that this uuid comes over a path with verdicts."""
        self.verdicts[identifier] = deque(verdicts)

    def saw(self, request: Seen) -> None:
        with self._lock:
            self.requests.append(request)

    def next_misbehaviour(self) -> Misbehaviour | None:
        with self._lock:
            return self.script.popleft() if self.script else self.always

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path not in PATHS or path in self.missing:
            return Reply(404, b"not found")
        reply = handle(path, headers, body, self.limits, self._judge)
        with self._lock:
            self.accepted += reply.accepted
        return reply

    def leave_unconfirmed(self, reply: Reply) -> Reply:
        """Remembers that nobody will hear what was accepted here."""
        with self._lock:
            self.unconfirmed += [event.uuid for event in reply.accepted]
        return reply

    def _judge(self, event: Mapping[str, Any]) -> tuple[str, str] | None:
        ordered = self.verdicts.get(event["uuid"])
        return ordered.popleft() if ordered else None

    def close(self) -> None:
        """Ends as a process that is killed does: with all its connections."""
        self.ended.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
