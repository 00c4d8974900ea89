"""The thread behind the processor: it takes ended spans, waits for those that belong together, and delivers them."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from spanmap.otel.context import suppressing_context, with_attributes
from spanmap.otel.destinations import Destination, in_batches
from spanmap.otel.settings import Queueing
from spanmap.otel.spans import GatewayWarning, logger
from spanmap.otel.traces import WaitingRoom

# How long a flush that may not wait any longer lets the thread go on with the delivery that it is at.
_LAST_SECONDS = 0.1


class Worker:
    """Owns the queue between the application's threads and the destination.

    What the application calls takes a lock that is never held for longer than some appends take.

    Args:
        destination: Where spans go.
        queueing: How they wait.
        gateway_warning: Looks at every AI span.
    """

    def __init__(self, destination: Destination, queueing: Queueing, gateway_warning: GatewayWarning) -> None:
        self._destination = destination
        self._queueing = queueing
        self._gateway_warning = gateway_warning
        # The collector may end an abandoned span on a thread that is inside the lock.
        self._lock = threading.RLock()
        # One thread at a time works: usually the worker, and whoever flushes when no thread can be started any more.
        self._work_lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_hurried = False
        self._flushes: list[threading.Event] = []
        # With the context at hand, because looking into a span again later costs more than all else here.
        self._ended: deque[tuple[SpanContext, ReadableSpan, bool, dict[str, Any] | None]] = deque()
        self._open: dict[int, weakref.ref[ReadableSpan]] = {}
        patience = queueing.schedule_delay_seconds if destination.wants_whole_traces else 0.0
        self._room = WaitingRoom(destination.keeps, patience, max_noise=queueing.max_queue_size)
        # What the path of every span asks: up to how many ended spans one more comes in that is not about AI,
        # and how many wake the thread.
        self._max_ended = 2 * queueing.max_queue_size if destination.wants_whole_traces else 0
        self._pressing = queueing.max_export_batch_size
        self._waiting = 0
        self._received = 0
        self._noise = 0
        self._delivered = 0
        self._dropped: dict[str, int] = {}

    def start_span(self, number: int, span: ReadableSpan) -> None:
        """Remembers that a span is open, without keeping it alive."""
        self._open[number] = weakref.ref(span)

    def end_span(self, context: SpanContext, span: ReadableSpan, is_ai: bool, said: dict[str, Any] | None) -> None:
        """Takes a span that has ended, if there is room for it."""
        with self._lock:
            if is_ai:
                self._received += 1
                if self._is_closed:
                    self._dropped["after_shutdown"] = self._dropped.get("after_shutdown", 0) + 1
                elif self._waiting >= self._queueing.max_queue_size:
                    self._dropped["queue_full"] = self._dropped.get("queue_full", 0) + 1
                else:
                    self._waiting += 1
                    self._ended.append((context, span, True, said))
            else:
                self._noise += 1
                # Without it a parent may be missing in the tree, but nothing is lost.
                if len(self._ended) < self._max_ended and not self._is_closed:
                    self._ended.append((context, span, False, None))
            is_pressing = len(self._ended) >= self._pressing
        # Only now: whoever finds it neither open nor ended would take its trace for complete.
        self._open.pop(context.span_id, None)
        if is_pressing and not self._wake.is_set():
            self._wake.set()
        if self._thread is None and not self._is_closed:
            self._start_thread()

    def drop(self, reason: str, number: int | None = None) -> None:
        """Counts an AI span that does not even wait, and is not open any more."""
        if number is not None:
            self._open.pop(number, None)
        with self._lock:
            self._received += 1
            self._dropped[reason] = self._dropped.get(reason, 0) + 1

    def flush(self, deadline: float) -> bool:
        """Delivers everything that has ended.

        Args:
            deadline: On the monotonic clock.

        Returns:
            Whether it has arrived; after a shutdown, whether nothing was left then.
        """
        return not self._waiting if self._is_closed else self._flush(deadline)

    def _flush(self, deadline: float) -> bool:
        done = threading.Event()
        with self._lock:
            self._flushes.append(done)
        if self._start_thread():
            self._wake.set()
            # Whoever waits does not want to wait for a back-off that we chose ourselves.
            self._destination.flush(0.0)
            done.wait(max(deadline - time.monotonic(), 0.0))
        else:
            # The interpreter is on its way out, and starts no thread any more.
            suppressing_context().run(self._work_once)
        return done.is_set() and self._destination.flush(max(deadline - time.monotonic(), 0.0))

    def shutdown(self, deadline: float) -> bool:
        """Takes no more spans, and delivers what has ended."""
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
        if not is_first:
            return True
        is_flushed = self._flush(deadline)
        if not is_flushed:
            self._is_hurried = True
            time.sleep(_LAST_SECONDS)
        self._wake.set()
        is_shut = self._destination.shutdown(max(deadline - time.monotonic(), 0.0))
        if self._waiting:
            logger.error("%d spans were not mapped before the deadline of shutdown and are lost", self._waiting)
        return is_flushed and is_shut

    def start_anew(self) -> None:
        """In the child of a fork: an empty queue, since the parent delivers what is in its own, and no thread yet."""
        self._lock = threading.RLock()
        self._work_lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = None
        self._flushes = []
        self._ended = deque()
        patience = self._queueing.schedule_delay_seconds if self._destination.wants_whole_traces else 0.0
        self._room = WaitingRoom(self._destination.keeps, patience, max_noise=self._queueing.max_queue_size)
        self._waiting = self._received = self._noise = self._delivered = 0
        self._dropped = {}
        self._destination.start_anew()

    @property
    def counters(self) -> dict[str, Any]:
        """What became of the spans so far, and of their events."""
        with self._lock:
            own = {
                "received": self._received,
                "noise": self._noise,
                "waiting": self._waiting,
                "delivered": self._delivered,
                "dropped": dict(self._dropped),
            }
        return own | self._destination.counters

    def _start_thread(self) -> bool:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return True
            thread = threading.Thread(target=self._run, name="spanmap-otel", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        suppressing_context().run(self._work)

    def _work(self) -> None:
        while not self._is_through():
            self._wake.wait(self._queueing.schedule_delay_seconds)
            self._wake.clear()
            self._work_once()

    def _is_through(self) -> bool:
        with self._lock:
            is_through = self._is_closed and not self._flushes and not self._waiting
            if is_through:
                # Whoever flushes from now on must not wait for a thread that is about to end.
                self._thread = None
            return is_through

    def _work_once(self) -> None:
        with self._work_lock:
            with self._lock:
                flushes, self._flushes = self._flushes, []
            try:
                self._deliver_ripe(everything=bool(flushes))
            except Exception:
                # One bad round must not end the thread; what it was about is counted where it is known.
                logger.exception("spanmap.otel failed")
            for done in flushes:
                done.set()

    def _deliver_ripe(self, *, everything: bool) -> None:
        # In this order: a span that ends in between is in both, and never in neither.
        open_spans = self._open_spans()
        with self._lock:
            ended, self._ended = self._ended, deque()
            is_full = self._waiting >= self._queueing.max_queue_size
        now = time.monotonic()
        for context, span, is_ai, said in ended:
            if open_spans:
                open_spans.pop(context.span_id, None)
            self._room.add(context.trace_id, span if said is None else with_attributes(span, said), is_ai, now)
        pieces = self._room.take(open_spans, now, everything=everything or is_full)
        for batch in in_batches(pieces, self._queueing.max_export_batch_size):
            reason = None
            try:
                self._gateway_warning.look_at(batch.spans)
                if not self._destination.deliver(batch.spans, batch.elsewhere, self._may_wait):
                    reason = ""
            except Exception:
                logger.exception("%d spans could not be mapped and are lost", batch.ai_spans)
                reason = "internal_error"
            with self._lock:
                self._waiting -= batch.ai_spans
                if reason == "internal_error":
                    self._dropped[reason] = self._dropped.get(reason, 0) + batch.ai_spans
                else:
                    self._delivered += batch.ai_spans

    def _may_wait(self) -> bool:
        return not self._is_hurried

    def _open_spans(self) -> dict[int, ReadableSpan]:
        """The spans that are open. One that was abandoned without an end is forgotten."""
        alive: dict[int, ReadableSpan] = {}
        for number, reference in list(self._open.items()):
            span = reference()
            if span is None:
                self._open.pop(number, None)
            else:
                alive[number] = span
        return alive
