"""The client: what an application sees, and the thread behind it."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from spanmap.client.address import Token, parse_host
from spanmap.client.alarms import Alarms, logger
from spanmap.client.check import CheckReport, check
from spanmap.client.compress import Compression, Compressor
from spanmap.client.counters import Counters
from spanmap.client.courier import Courier
from spanmap.client.events import EncodedEvent, Refused, encode_event
from spanmap.client.exchange import Exchange
from spanmap.client.outbox import Outbox
from spanmap.client.packing import BeforeSend, Packer
from spanmap.client.retry import RetryPolicy
from spanmap.errors import DeliveryError

_MIB = 1 << 20
_REFUSALS = {
    "queue_full": "{} events were not queued because the queue is full: PostHog is too slow, or away.",
    "closed": "{} events were not queued because the client is shut down.",
}


class Client:
    """Sends events to PostHog from a thread of its own.

    `send` never waits and never raises because of the network: what cannot be kept is counted. Threads may share a
    client. After a fork the child has an empty queue and its own connection. At the interpreter's exit the client tries
    for `exit_seconds` to deliver what is left; call `shutdown` yourself where the process may be killed, and in the
    children of `multiprocessing`, which skip exit handlers.

    Args:
        token: The project token (`phc_...`).
        host: Where PostHog is.
        before_send: Called with each event, on the client's thread; returns the event to send, or None to drop it. An
            event for which it raises is dropped: it may be there to redact.
        on_error: Called with a `DeliveryError` for each failed request and each loss; on the client's thread, but by
            `send` itself for what cannot be queued.
        max_queue_bytes: Cap on the JSON of all events that wait; further events are dropped and counted.
        max_queue_events: Cap on their number.
        max_batch_bytes: A request is closed before its events pass this, not compressed.
        max_batch_events: A request is closed at this many events.
        flush_interval_seconds: How long an event waits for others to travel with.
        timeout_seconds: For each request.
        max_age_seconds: An event that could not be delivered for so long is dropped.
        exit_seconds: How long the interpreter's exit may wait for deliveries.
        compression: `"auto"` (zstd where it is there and the server reads it, else gzip), `"gzip"`, `"zstd"`, or None.
        historical_migration: Marks a backfill of events from more than two days ago.
        retry: When to try again.
        ca_file: A file of certificates to trust instead of the system's.
        proxy: Address of an HTTP proxy; `""` for none, None for what `HTTPS_PROXY` and `NO_PROXY` say.
        thread_context: The context variables that the client's thread sees, `before_send` and `on_error` included; None
            gives it those of no caller. An application that traces its HTTP requests switches that off here.
        allow_plain_http: Allows an `http://` host that is not this machine.

    Raises:
        ValueError: The token, the host or a number is not usable; the message says why.

    Example:
        >>> import spanmap
        >>> from spanmap.client import Client
        >>> client = Client("phc_of_your_project")
        >>> client
        Client(phc_of_y..., https://us.i.posthog.com)
    """

    def __init__(
        self,
        token: str,
        host: str = "https://us.i.posthog.com",
        *,
        before_send: BeforeSend | None = None,
        on_error: Callable[[DeliveryError], object] | None = None,
        max_queue_bytes: int = 64 * _MIB,
        max_queue_events: int = 100_000,
        max_batch_bytes: int = 5 * _MIB,
        max_batch_events: int = 500,
        flush_interval_seconds: float = 1.0,
        timeout_seconds: float = 15.0,
        max_age_seconds: float = 86_400.0,
        exit_seconds: float = 5.0,
        compression: Compression | None = "auto",
        historical_migration: bool = False,
        retry: RetryPolicy | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
        allow_plain_http: bool = False,
        thread_context: contextvars.Context | None = None,
    ) -> None:
        for name, value in (
            ("max_queue_bytes", max_queue_bytes),
            ("max_queue_events", max_queue_events),
            ("max_batch_bytes", max_batch_bytes),
            ("max_batch_events", max_batch_events),
            ("max_age_seconds", max_age_seconds),
        ):
            if not value > 0:
                raise ValueError(f"{name} is {value!r}. It must be more than 0.")
        if not 0 < timeout_seconds <= threading.TIMEOUT_MAX:
            raise ValueError(
                f"timeout_seconds is {timeout_seconds!r}. It must be more than 0, and a time that can end."
            )
        if not flush_interval_seconds >= 0:
            raise ValueError(f"flush_interval_seconds is {flush_interval_seconds!r}. It must be 0 or more.")
        if compression not in {"auto", "gzip", "zstd", None}:
            raise ValueError(f'compression is {compression!r}. It must be "auto", "gzip", "zstd" or None.')
        self._token = Token(token)
        self._host = parse_host(host, allow_plain_http=allow_plain_http)
        self._exit_seconds = exit_seconds
        self._thread_context = contextvars.Context() if thread_context is None else thread_context
        self._exchange = Exchange(self._host, timeout_seconds=timeout_seconds, ca_file=ca_file, proxy=proxy)

        def make_outbox() -> Outbox:
            return Outbox(
                max_bytes=max_queue_bytes,
                max_events=max_queue_events,
                batch_bytes=max_batch_bytes,
                batch_events=max_batch_events,
                interval_seconds=flush_interval_seconds,
                max_age_seconds=max_age_seconds,
            )

        def make_courier(outbox: Outbox) -> Courier:
            return Courier(
                token=self._token,
                exchange=self._exchange,
                outbox=outbox,
                alarms=self._alarms,
                policy=retry or RetryPolicy(),
                packer=Packer(outbox=outbox, alarms=self._alarms, before_send=before_send),
                compressor=Compressor(compression),
                historical_migration=historical_migration,
            )

        self._on_error = on_error
        self._is_closed = False
        self._exit_deadline: float | None = None
        self._make_outbox = make_outbox
        self._make_courier = make_courier
        self._start_anew()
        _clients.add(self)

    def __repr__(self) -> str:
        return f"Client({self._token!r}, {self._host})"

    def send(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Queues events.

        They are encoded now, so that they may be changed afterwards.

        Args:
            events: Events as `Mapper.map_traces` gives them. One without a timestamp gets the time of this call.

        Returns:
            How many were queued. The others are counted under `dropped`.
        """
        encoded: list[EncodedEvent] = []
        for event in events:
            try:
                encoded.append(encode_event(event))
            except Exception as error:
                # Also when code of the application raises that runs here, such as a __str__.
                reason = error.reason if isinstance(error, Refused) else "not_json"
                self._outbox.refuse(reason)
                self._alarms.raise_alarm(reason, f"An event cannot be sent: {reason}.", events=1, lost=True)
        return self.send_encoded(encoded)

    def send_encoded(self, events: Iterable[EncodedEvent]) -> int:
        """Queues events that are JSON already; otherwise like `send`."""
        offered = list(events)
        queued, reason = self._outbox.put(offered)
        if queued:
            self._start_worker()
        if self._exit_deadline is not None:
            # The hook of the interpreter's exit is through with this client, so nobody else will deliver these.
            self.flush(max(self._exit_deadline - time.monotonic(), 0.0))
        if refused := len(offered) - queued:
            self._alarms.raise_alarm(reason, _REFUSALS[reason].format(refused), events=refused, lost=True)
        return queued

    def flush(self, deadline_seconds: float | None = None) -> bool:
        """Waits until every event that was queued before is delivered or dropped.

        Args:
            deadline_seconds: How long to wait at most; None waits as long as it takes.

        Returns:
            Whether none of them is pending any more. False also, and at once, when PostHog refuses the token or no path
            of the host is PostHog's: then only a human can help.
        """
        return self._await(self._outbox.wait_for_all(), deadline_seconds)

    async def aflush(self, deadline_seconds: float | None = None) -> bool:
        """Like `flush`, without blocking the event loop."""
        future = self._outbox.wait_for_all()
        if not future.done() and not self._start_worker():
            return False
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), deadline_seconds)
        except TimeoutError:
            return False
        finally:
            self._outbox.stop_waiting(future)

    def shutdown(self, deadline_seconds: float | None = 5.0) -> bool:
        """Delivers what is queued, and stops; `counters` says what was left.

        Args:
            deadline_seconds: How long to wait at most.

        Returns:
            Whether nothing is pending. Events that are sent afterwards are dropped and counted as `closed`.
        """
        self._is_closed = True
        self._outbox.close()
        done = self.flush(deadline_seconds)
        self._stop.set()
        self._outbox.wake()
        if not self._mourn():
            self._exchange.close()
        return done

    async def ashutdown(self, deadline_seconds: float | None = 5.0) -> bool:
        """Like `shutdown`, without blocking the event loop."""
        self._is_closed = True
        self._outbox.close()
        await self.aflush(deadline_seconds)
        return self.shutdown(0.0)

    def check(self) -> CheckReport:
        """Tests the connection with one harmless event, outside the queue, and waits for the answer.

        Returns:
            What worked and what did not, step by step, and what to do. It raises nothing.
        """
        return check(self._token, self._host, self._exchange.clone())

    @property
    def counters(self) -> Counters:
        """What was sent, retried, dropped and why, since the client was made."""
        return self._outbox.read_counters()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.ashutdown()

    def _start_anew(self) -> None:
        """An empty queue, and no thread: at the beginning, and in the child of a fork."""
        self._alarms = Alarms(self._on_error)
        self._outbox = self._make_outbox()
        self._courier = self._make_courier(self._outbox)
        self._stop: threading.Event = threading.Event()
        self._worker: threading.Thread | None = None
        # A signal or the garbage collector can make the holder's thread send or flush in the middle, as in the outbox.
        self._worker_lock = threading.RLock()
        self._exchange.forget_connections()
        if self._is_closed:
            self._outbox.close()
            self._stop.set()

    def _await(self, future: Future[bool], deadline_seconds: float | None) -> bool:
        if deadline_seconds is not None:
            # Python cannot wait for longer, which is some centuries.
            deadline_seconds = min(deadline_seconds, threading.TIMEOUT_MAX / 2)
        deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds
        if not future.done() and not self._start_worker():
            if self._stop.is_set():
                deadline = 0.0
            else:
                # No thread can be started any more: the interpreter is on its way out.
                if deadline_seconds is not None:
                    self._exchange.timeout_seconds = max(min(self._exchange.timeout_seconds, deadline_seconds), 0.01)
                self._work_in_context(future.done, deadline)
        try:
            return self._outbox.wait(future, None if deadline is None else max(deadline - time.monotonic(), 0.0))
        finally:
            self._outbox.stop_waiting(future)

    def _mourn(self) -> int:
        left = self.counters["pending_events"]
        if left:
            logger.error("%d events could not be delivered before the end and are lost", left)
        return left

    def _work_in_context(self, *arguments: Any) -> None:
        # Two threads cannot be in one context at once: after a fork, or when a worker has died.
        self._thread_context.copy().run(self._work, *arguments)

    def _start_worker(self) -> bool:
        with self._worker_lock:
            if self._stop.is_set():
                return False
            if self._worker is None or not self._worker.is_alive():
                worker = threading.Thread(
                    target=self._work_in_context, args=(self._stop.is_set,), name="spanmap-client", daemon=True
                )
                try:
                    worker.start()
                except RuntimeError:
                    return False
                self._worker = worker
        return True

    def _work(self, stop: Callable[[], bool], deadline: float | None = None) -> None:
        outbox, courier = self._outbox, self._courier
        while (parcel := outbox.next_parcel(stop, deadline)) is not None:
            records = list(parcel.records)
            try:
                courier.deliver(parcel)
            except Exception as error:
                logger.debug("the delivery of a request raised", exc_info=True)
                self._alarms.raise_alarm(
                    "internal_error",
                    f"{type(error).__name__} in spanmap.client: {len(records)} events are dropped. Please report it.",
                    events=len(records),
                    lost=True,
                )
                outbox.drop(records, "internal_error")

    def _at_exit(self) -> None:
        """Delivers what is left, but stays open: exit handlers that were registered before run after this."""
        self._exit_deadline = time.monotonic() + self._exit_seconds
        if not self._is_closed and not self.flush(self._exit_seconds):
            self._mourn()


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for client in list(_clients):
        client._start_anew()


@atexit.register
def _at_exit() -> None:
    for client in list(_clients):
        client._at_exit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
