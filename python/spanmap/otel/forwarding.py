"""Where spans go: as they are, to PostHog's OTLP endpoint, in requests that it takes.

The endpoint refuses a request of more than 100 AI spans or 4 MiB as a whole, and for good. It makes a new uuid for each
event of each request, so that a request whose answer was lost is counted twice when it is sent again. Events that are
mapped here do not have this flaw.
"""

from __future__ import annotations

import gzip
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan

from spanmap import Mapper
from spanmap.client.address import Token, parse_host
from spanmap.client.alarms import Alarms
from spanmap.client.exchange import Exchange, NetworkError
from spanmap.client.retry import RetryPolicy, parse_retry_after
from spanmap.otel.context import suppressing_context
from spanmap.otel.credentials import without_credentials
from spanmap.otel.traces import Elsewhere

if TYPE_CHECKING:
    from spanmap.errors import DeliveryError

PATH = "/i/v0/ai/otel"
# What PostHog's capture service takes in one request (rust/capture/src/otel/mod.rs), compressed or not.
MAX_SPANS = 100
MAX_BODY_BYTES = 4 << 20
_TIMEOUT_SECONDS = 15.0
# The fastest level costs a third of the default, and prompts compress well at any.
_GZIP_LEVEL = 1


@dataclass
class _Request:
    spans: list[ReadableSpan]
    body: bytes
    failures: int = 0


def _find_encoder() -> Callable[[Sequence[ReadableSpan]], Any]:
    try:
        # Imported here: whoever sends events has no need of protobuf.
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        advice = "destination=\"otlp\" needs OpenTelemetry's encoder: pip install 'spanmap[otlp]'"
        raise ModuleNotFoundError(advice, name=missing.name) from missing
    return encode_spans


class Forwarding:
    """Forwards spans from a thread of its own.

    Args:
        token: The project token.
        host: Where PostHog is.
        prefixes: Which spans are forwarded, by the prefix of an attribute key; None means those that PostHog keeps.
        max_queue_bytes: Cap on the encoded spans that wait.
        on_error: Hears of every failed request and every lost span.
        retry: When to try again.

    Raises:
        ValueError: Token or host are not usable.
        ModuleNotFoundError: The extra `spanmap[otlp]` is not installed.
    """

    wants_whole_traces = False

    def __init__(
        self,
        token: str,
        *,
        host: str,
        prefixes: list[str] | None,
        max_queue_bytes: int,
        on_error: Callable[[DeliveryError], object] | None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._encode_spans = _find_encoder()
        self._token = Token(token)
        self._exchange = Exchange(parse_host(host), timeout_seconds=_TIMEOUT_SECONDS, ca_file=None, proxy=None)
        # PostHog decides by attribute keys alone, which is what this mode does.
        self._keeps = Mapper(compat="posthog", prefixes=prefixes).keeps
        self._max_queue_bytes = max_queue_bytes
        self._retry = retry or RetryPolicy()
        self._alarms = Alarms(on_error)
        self.start_anew()

    def start_anew(self) -> None:
        """An empty queue and no thread: at the beginning, and in the child of a fork."""
        self._changed = threading.Condition()
        self._requests: deque[_Request] = deque()
        self._bytes = 0
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._forwarded = 0
        self._answers: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self._exchange.forget_connections()

    def keeps(self, span: ReadableSpan) -> bool:
        """Whether PostHog would keep the span, or `prefixes` say so."""
        return self._keeps(span)

    def deliver(
        self, spans: Sequence[ReadableSpan], elsewhere: Sequence[Elsewhere], may_wait: Callable[[], bool]
    ) -> bool:
        """Encodes the AI spans among these, and queues them as far as there is room."""
        kept = [without_credentials(span) for span in spans if self._keeps(span)]
        is_all = True
        for start in range(0, len(kept), MAX_SPANS):
            is_all = self._put(kept[start : start + MAX_SPANS], may_wait) and is_all
        return is_all

    def flush(self, deadline_seconds: float) -> bool:
        """Waits until nothing waits to be forwarded."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._requests, deadline_seconds)

    def shutdown(self, deadline_seconds: float) -> bool:
        """The same, and stops the thread; what is left is counted as `shutdown`."""
        with self._changed:
            self._is_closed = True
        is_done = self.flush(deadline_seconds)
        with self._changed:
            left = sum(len(request.spans) for request in self._requests)
            self._requests.clear()
            self._bytes = 0
            self._count_dropped("shutdown", left)
            self._changed.notify_all()
        return is_done

    @property
    def counters(self) -> dict[str, Any]:
        """Spans `forwarded`, `answers` by status, spans that were `not_forwarded` by reason, and `pending_bytes`."""
        with self._changed:
            return {
                "forwarded": self._forwarded,
                "answers": dict(self._answers),
                "not_forwarded": dict(self._dropped),
                "pending_bytes": self._bytes,
            }

    def _put(self, spans: list[ReadableSpan], may_wait: Callable[[], bool]) -> bool:
        body = self._encode_spans(spans).SerializeToString()
        if len(body) > MAX_BODY_BYTES:
            if len(spans) > 1:
                halves = self._put(spans[: len(spans) // 2], may_wait), self._put(spans[len(spans) // 2 :], may_wait)
                return all(halves)
            self._lose("too_large", 1, f"A span of {len(body):,} bytes is larger than what PostHog's endpoint takes.")
            return False
        while self._bytes + len(body) > self._max_queue_bytes and self._requests and may_wait():
            with self._changed:
                self._changed.wait(0.25)
        with self._changed:
            has_room = not self._is_closed and self._bytes + len(body) <= self._max_queue_bytes
            if has_room:
                self._requests.append(_Request(spans, body))
                self._bytes += len(body)
                self._changed.notify_all()
        if not has_room:
            self._lose("queue_full", len(spans), f"{len(spans)} spans find no room in the queue.")
            return False
        self._start_thread()
        return True

    def _start_thread(self) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                context = suppressing_context()
                self._thread = threading.Thread(
                    target=context.run, args=(self._work,), name="spanmap-otlp", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requests or self._is_closed)
                if not self._requests:
                    return
                request = self._requests[0]
            wait = self._send(request)
            if wait > 0:
                with self._changed:
                    # A shutdown takes the requests away, and ends the wait.
                    self._changed.wait_for(lambda: not self._requests, wait)

    def _send(self, request: _Request) -> float:
        """Sends one request and settles it, or says how many seconds to wait before the next try."""
        headers = {
            "Authorization": f"Bearer {self._token.secret}",
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": "spanmap",
        }
        try:
            answer = self._exchange.post(PATH, headers, gzip.compress(request.body, _GZIP_LEVEL, mtime=0))
        except NetworkError as error:
            return self._try_later(request, "network", f"{self._exchange.host} did not answer: {error}")
        self._count_answer(str(answer.status))
        if 200 <= answer.status < 300:
            self._settle(request, forwarded=len(request.spans))
        elif answer.status in {400, 413} and len(request.spans) > 1:
            # One span that PostHog cannot take must not cost the others.
            self._halve(request)
        elif answer.status in {400, 402, 413, 415}:
            self._settle(request)
            self._lose(f"http_{answer.status}", len(request.spans), f"PostHog refused spans with {answer.status}.")
        elif answer.status in {401, 403, 404} or 300 <= answer.status < 400:
            self._try_later(request, f"http_{answer.status}", self._advice(answer.status))
            return self._retry.frozen_seconds
        else:
            after = parse_retry_after(answer.headers.get("retry-after"))
            said = f"{self._exchange.host} answered {answer.status}."
            return self._try_later(request, f"http_{answer.status}", said, after)
        return 0.0

    def _advice(self, status: int) -> str:
        host = self._exchange.host
        if status in {401, 403}:
            return f"{host} does not take the project token {self._token!r} ({status}). Check the token."
        return (
            f'{host} has no {PATH} ({status}). Check the host, or use destination="events", which older servers know.'
        )

    def _try_later(self, request: _Request, kind: str, message: str, after: float | None = None) -> float:
        request.failures += 1
        if kind == "network":
            self._count_answer(kind)
        waiting = len(request.spans)
        self._alarms.raise_alarm(kind, f"{message} {waiting} spans wait for another try.", events=waiting, lost=False)
        return self._retry.wait_seconds(request.failures, after)

    def _halve(self, request: _Request) -> None:
        middle = len(request.spans) // 2
        halves = [
            _Request(spans, self._encode_spans(spans).SerializeToString())
            for spans in (request.spans[:middle], request.spans[middle:])
        ]
        with self._changed:
            # A shutdown may have taken the request away meanwhile.
            if self._requests and self._requests[0] is request:
                self._requests.popleft()
                self._requests.extendleft(reversed(halves))
                self._bytes += sum(len(half.body) for half in halves) - len(request.body)

    def _settle(self, request: _Request, forwarded: int = 0) -> None:
        with self._changed:
            self._forwarded += forwarded
            if self._requests and self._requests[0] is request:
                self._requests.popleft()
                self._bytes -= len(request.body)
                self._changed.notify_all()

    def _lose(self, reason: str, spans: int, message: str) -> None:
        with self._changed:
            self._count_dropped(reason, spans)
        self._alarms.raise_alarm(reason, message, events=spans, lost=True)

    def _count_answer(self, status: str) -> None:
        with self._changed:
            self._answers[status] = self._answers.get(status, 0) + 1

    def _count_dropped(self, reason: str, spans: int) -> None:
        if spans:
            self._dropped[reason] = self._dropped.get(reason, 0) + spans
