"""The exporter: for whoever brings a span processor of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanmap.errors import DeliveryError
from spanmap.otel.destinations import Destination, make_destination
from spanmap.otel.settings import BeforeSend, DestinationName, as_seconds, find_token
from spanmap.otel.spans import GatewayWarning, logger


class PostHogTraceExporter(SpanExporter):
    """Sends the AI spans of each batch to PostHog, as events.

    Takes the place of `posthog.ai.otel.PostHogTraceExporter`. Choose `PostHogSpanProcessor` where you can: an exporter
    sees traces as its span processor cuts them, and knows nothing of `posthog.new_context()`.

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
        max_queue_bytes: Cap on what is mapped and waits to be sent.
        client_options: More arguments of `spanmap.client.Client`.

    Raises:
        ValueError: An argument is not usable; the message says why.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import BatchSpanProcessor
        >>> provider = TracerProvider()
        >>> provider.add_span_processor(BatchSpanProcessor(PostHogTraceExporter(api_key="phc_of_your_project")))
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
        max_queue_bytes: int = 64 << 20,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._destination: Destination | None = None
        self._gateway_warning = GatewayWarning()
        self._is_shut = False
        token = find_token(api_key, project_token)
        if token:
            self._destination = make_destination(
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

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Queues what the AI spans become. Spans that are not about AI, and batches without any, are a success.

        Returns:
            Failure when the exporter is shut down, the queue has no room for all, or the spans cannot be read.
        """
        if self._destination is None:
            return SpanExportResult.SUCCESS
        if self._is_shut:
            return SpanExportResult.FAILURE
        try:
            ai_spans = [span for span in spans if self._destination.keeps(span)]
            if not ai_spans:
                return SpanExportResult.SUCCESS
            self._gateway_warning.look_at(ai_spans)
            # The others are no events, but tell of parents and people.
            is_queued = self._destination.deliver(spans, (), lambda: False)
        except Exception:
            logger.exception("%d spans could not be exported", len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if is_queued else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Waits until all exported spans have arrived, for 30 seconds where nothing is said; whether they have."""
        seconds = 30.0 if timeout_millis is None else as_seconds(timeout_millis)
        return self._destination is None or self._destination.flush(seconds)

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Delivers what is queued, and takes no more."""
        self._is_shut = True
        if self._destination is not None:
            self._destination.shutdown(as_seconds(timeout_millis))

    @property
    def counters(self) -> dict[str, Any]:
        """What became of the spans: the latter half of `PostHogSpanProcessor.counters`; empty without a token."""
        return {} if self._destination is None else self._destination.counters
