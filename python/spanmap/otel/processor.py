"""The span processor: what an application adds to its tracer provider."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import TraceFlags

from spanmap.errors import DeliveryError
from spanmap.otel.context import posthog_context
from spanmap.otel.destinations import make_destination
from spanmap.otel.settings import BeforeSend, DestinationName, Queueing, as_seconds, find_token
from spanmap.otel.spans import GatewayWarning, logger
from spanmap.otel.worker import Worker

_SAMPLED = TraceFlags.SAMPLED


class PostHogSpanProcessor(SpanProcessor):
    """Sends the AI spans of an application to PostHog, as events.

    Takes the place of `posthog.ai.otel.PostHogSpanProcessor`: same arguments, same context of `posthog.new_context()`.
    Ending a span costs microseconds, whatever it holds; filtering aside, everything happens on another thread. Nothing
    raises into the application after the constructor. After a fork the child delivers its own spans.

    The spans of a trace wait until the last of them in this process has ended, but not longer than
    `schedule_delay_millis`: so a wrapper's span and the call inside it count once, and parents are right.

    Args:
        api_key: The project token (`phc_...`); None reads `POSTHOG_API_KEY`. Without one nothing is sent.
        host: Where PostHog is; None reads `POSTHOG_HOST`, else PostHog's cloud in the US.
        project_token: Another name of `api_key`.
        privacy_mode: Prompts, answers, tool arguments and results, and error messages stay here.
        client: A client of PostHog's library, whose `privacy_mode` also holds; None means that of its settings.
        before_send: Called with each event before it is sent, on another thread; returns the event, or None to drop it.
        on_error: Called with a `DeliveryError` for each failed request and each lost event, on another thread.
        prefixes: A span is sent when its name or an attribute key begins with one of these; None means the mode's list.
        compat: `"best"` tells what happened, `"posthog"` what PostHog's own endpoint would make of the spans.
        destination: `"events"`, or `"otlp"` to forward spans as they are to PostHog's OTLP endpoint, which maps them.
        max_queue_size: AI spans that may wait; None reads `OTEL_BSP_MAX_QUEUE_SIZE`, else 2048.
        schedule_delay_millis: Between exports; None reads `OTEL_BSP_SCHEDULE_DELAY`, else 5000.
        max_export_batch_size: Spans mapped at once; None reads `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512.
        export_timeout_millis: Longest flush and shutdown; None reads `OTEL_BSP_EXPORT_TIMEOUT`, else 30000.
        max_queue_bytes: Cap on what is mapped and waits to be sent.
        client_options: More arguments of `spanmap.client.Client`, such as `compression`, `ca_file` and `proxy`.

    Raises:
        ValueError: An argument is not usable; the message says why.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> provider = TracerProvider()
        >>> provider.add_span_processor(PostHogSpanProcessor(api_key="phc_of_your_project"))
        >>> provider.shutdown()
    """

    def __init__(
        self,
        api_key: str | None = None,
        host: str | None = None,
        *,
        project_token: str | None = None,
        privacy_mode: bool = False,
        client: Any = None,
        before_send: BeforeSend | None = None,
        on_error: Callable[[DeliveryError], object] | None = None,
        prefixes: Sequence[str] | None = None,
        compat: Literal["best", "posthog"] = "best",
        destination: DestinationName = "events",
        max_queue_size: int | None = None,
        schedule_delay_millis: float | None = None,
        max_export_batch_size: int | None = None,
        export_timeout_millis: float | None = None,
        max_queue_bytes: int = 64 << 20,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._queueing = Queueing.read(
            max_queue_size=max_queue_size,
            schedule_delay_millis=schedule_delay_millis,
            max_export_batch_size=max_export_batch_size,
            export_timeout_millis=export_timeout_millis,
        )
        self._worker: Worker | None = None
        self._keeps: Callable[[ReadableSpan], bool] = lambda _: False
        self._tracks = False
        token = find_token(api_key, project_token)
        if not token:
            return
        target = make_destination(
            token,
            host,
            destination=destination,
            privacy_mode=privacy_mode,
            client=client,
            before_send=before_send,
            on_error=on_error,
            prefixes=prefixes,
            compat=compat,
            max_queue_bytes=max_queue_bytes,
            client_options=client_options,
        )
        self._worker = Worker(target, self._queueing, GatewayWarning())
        self._keeps = target.keeps
        self._tracks = destination == "events"
        self._said: dict[int, dict[str, Any]] = {}
        _processors.add(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remembers that the span is open, and what the active `posthog.new_context()` says of it."""
        if not self._tracks or self._worker is None:
            return
        try:
            number = span.get_span_context().span_id
            self._worker.start_span(number, span)
            said = posthog_context()
            if said is not None:
                self._said[number] = said
                weakref.finalize(span, self._said.pop, number, None)
        except Exception:
            logger.debug("a span's start could not be noted", exc_info=True)

    def on_end(self, span: ReadableSpan) -> None:
        """Queues the span if it is about AI and sampled. Never waits."""
        worker = self._worker
        if worker is None:
            return
        try:
            context = span.get_span_context()
            if context is None:
                return
            is_ai = self._keeps(span)
            if is_ai and not context.trace_flags & _SAMPLED:
                worker.drop("unsampled", context.span_id)
                return
            worker.end_span(context, span, is_ai, self._said.pop(context.span_id, None) if self._said else None)
        except Exception:
            worker.drop("unreadable")
            logger.debug("a span could not be taken", exc_info=True)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Delivers every span that has ended, also of traces that go on.

        Args:
            timeout_millis: How long to wait at most; None waits for `export_timeout_millis`.

        Returns:
            Whether all of them have arrived.
        """
        if self._worker is None:
            return True
        return self._worker.flush(self._deadline(timeout_millis))

    def shutdown(self) -> None:
        """Delivers what has ended and stops, within `export_timeout_millis`. Spans that end afterwards are counted."""
        if self._worker is not None:
            self._worker.shutdown(self._deadline(None))

    @property
    def counters(self) -> dict[str, Any]:
        """What became of the spans; empty where there is no token.

        Returns:
            `received` (AI spans), `noise` (others), `waiting`, `delivered` (to the mapper), `dropped` by reason
            (`queue_full`, `unsampled`, `after_shutdown`, `unreadable`, `internal_error`); `events`, `not_mapped` by
            reason and `delivery`, the client's counters. With `destination="otlp"` the last three are `forwarded`,
            `answers`, `not_forwarded` and `pending_bytes`.
        """
        return {} if self._worker is None else self._worker.counters

    def _deadline(self, timeout_millis: float | None) -> float:
        seconds = self._queueing.export_timeout_seconds if timeout_millis is None else as_seconds(timeout_millis)
        return time.monotonic() + seconds

    def _start_anew(self) -> None:
        if self._worker is not None:
            self._worker.start_anew()


_processors: weakref.WeakSet[PostHogSpanProcessor] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for processor in list(_processors):
        processor._start_anew()


@atexit.register
def _at_exit() -> None:
    # A provider shuts its processors down at exit, unless it was told not to.
    for processor in list(_processors):
        processor.shutdown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
