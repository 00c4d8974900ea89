"""Where spans go: as events, through the mapper and the client."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, cast

from opentelemetry.sdk.trace import ReadableSpan

from spanmap import Mapper
from spanmap.client import Client, EncodedEvent
from spanmap.client.outbox import RECORD_OVERHEAD_BYTES
from spanmap.errors import DeliveryError
from spanmap.otel.context import is_privacy_asked_for, suppressing_context
from spanmap.otel.credentials import without_credentials
from spanmap.otel.forwarding import Forwarding
from spanmap.otel.settings import DEFAULT_HOST, BeforeSend, DestinationName, find_host, refuse_without_mapping
from spanmap.otel.traces import Elsewhere, Piece

# Events that are JSON at once: with prompts of 1 MB this many are as many megabytes.
_EVENTS_AT_A_TIME = 16
# How often a full client is asked whether there is room.
_PATIENCE_SECONDS = 0.02


class Destination(Protocol):
    """Takes spans. One thread at a time delivers."""

    @property
    def wants_whole_traces(self) -> bool:
        """Whether it makes a difference which spans come together."""

    def keeps(self, span: ReadableSpan) -> bool:
        """Whether the filter keeps a span. Cheap, and called from any thread."""

    def deliver(
        self, spans: Sequence[ReadableSpan], elsewhere: Sequence[Elsewhere], may_wait: Callable[[], bool]
    ) -> bool:
        """Takes spans over.

        Args:
            spans: Spans, of which some may be about AI.
            elsewhere: As `Mapper.map_spans_batch` takes it.
            may_wait: Asked while there is no room, whether to wait for it; otherwise what finds none is dropped.

        Returns:
            Whether all could be taken.
        """

    def flush(self, deadline_seconds: float) -> bool:
        """Waits until what was delivered has arrived; whether it has."""

    def shutdown(self, deadline_seconds: float) -> bool:
        """The same, and takes no more."""

    def start_anew(self) -> None:
        """Called in the child of a fork."""

    @property
    def counters(self) -> dict[str, Any]:
        """What became of the spans."""


class Events:
    """Maps spans to events and sends them with a `Client`.

    Args:
        token: The project token.
        host: Where PostHog is.
        is_private: Asked for each delivery, whether content stays here.
        mapper_options: Of the mapper: `compat` and `prefixes`.
        max_queue_bytes: Cap on the events that wait to be sent.
        client_options: More of the client.
    """

    def __init__(
        self,
        token: str,
        *,
        host: str = DEFAULT_HOST,
        is_private: Callable[[], bool],
        mapper_options: Mapping[str, Any],
        max_queue_bytes: int,
        client_options: Mapping[str, Any],
    ) -> None:
        self._is_private = is_private
        self._mapper_options = mapper_options
        self.start_anew()
        self._keeps = self._mappers[False].keeps
        # A little room stays for what the client adds to each event.
        self._limit = max_queue_bytes * 7 // 8
        self._client = Client(
            token,
            host,
            max_queue_bytes=max_queue_bytes,
            thread_context=suppressing_context(),
            **client_options,
        )
        self.wants_whole_traces = mapper_options.get("compat", "best") == "best"

    def keeps(self, span: ReadableSpan) -> bool:
        """As the mapper."""
        return self._keeps(span)

    def deliver(
        self, spans: Sequence[ReadableSpan], elsewhere: Sequence[Elsewhere], may_wait: Callable[[], bool]
    ) -> bool:
        """Maps spans, and queues their events some at a time, so that their JSON is never all there at once."""
        spans = [without_credentials(span) for span in spans]
        batch = self._mappers[self._is_private()].map_spans_batch(spans, elsewhere=elsewhere)
        start, are_all_queued = 0, True
        while events := batch.encoded(start, start + _EVENTS_AT_A_TIME):
            start += _EVENTS_AT_A_TIME
            # Events that find no room together, even in an empty queue, go one by one.
            for some in [events] if _size(events) <= self._limit else [[event] for event in events]:
                self._wait_for_room(_size(some), may_wait)
                # A plain tuple will do; naming its members would take as long as queueing it.
                queued = self._client.send_encoded(cast(list[EncodedEvent], some))
                are_all_queued = are_all_queued and queued == len(some)
        return are_all_queued

    def flush(self, deadline_seconds: float) -> bool:
        """As the client."""
        return self._client.flush(deadline_seconds)

    def shutdown(self, deadline_seconds: float) -> bool:
        """As the client."""
        return self._client.shutdown(deadline_seconds)

    def start_anew(self) -> None:
        """Mappers that have counted nothing, and whose lock no other thread held at the fork.

        The client hears of a fork itself.
        """
        # The application is no stranger: the queue has a cap on spans already.
        limits = {"max_spans": sys.maxsize}
        self._mappers = {
            private: Mapper(**self._mapper_options, limits=limits, on_error="skip", privacy_mode=private)
            for private in (False, True)
        }

    @property
    def counters(self) -> dict[str, Any]:
        """Those of the mapper and the client."""
        mapped = [mapper.counters for mapper in self._mappers.values()]
        dropped: dict[str, int] = {}
        for counters in mapped:
            for reason, number in counters["dropped"].items():
                dropped[reason] = dropped.get(reason, 0) + number
        return {
            "events": sum(counters["events"] for counters in mapped),
            "not_mapped": dropped,
            "delivery": self._client.counters,
        }

    def _wait_for_room(self, size: int, may_wait: Callable[[], bool]) -> None:
        # Not by a flush, which ends the client's back-off: a server in trouble would be asked several times a second.
        while (pending := self._client.counters["pending_bytes"]) and pending + size > self._limit and may_wait():
            time.sleep(_PATIENCE_SECONDS)


def _size(events: Sequence[tuple[str, str, bool, bytes]]) -> int:
    return sum(len(event[3]) + RECORD_OVERHEAD_BYTES for event in events)


def in_batches(pieces: Sequence[Piece], max_spans: int) -> list[Piece]:
    """Puts pieces together to as few as there can be of at most so many spans; one larger piece stays whole."""
    batches: list[Piece] = []
    for piece in pieces:
        last = batches[-1] if batches else None
        if last is not None and len(last.spans) + len(piece.spans) <= max_spans:
            batches[-1] = Piece(
                last.spans + piece.spans, last.elsewhere + piece.elsewhere, last.ai_spans + piece.ai_spans
            )
        else:
            batches.append(piece)
    return batches


def make_destination(
    token: str,
    host: str | None,
    *,
    destination: DestinationName,
    privacy_mode: bool,
    client: Any,
    before_send: BeforeSend | None,
    on_error: Callable[[DeliveryError], object] | None,
    prefixes: Sequence[str] | None,
    compat: Literal["best", "posthog"],
    max_queue_bytes: int,
    client_options: Mapping[str, Any] | None,
) -> Destination:
    """What the options ask for.

    Raises:
        ValueError: One of them is not usable, or does not go with another.
    """
    address = find_host(host)
    prefixes = None if prefixes is None else list(prefixes)
    if destination == "otlp":
        refuse_without_mapping(
            privacy_mode=privacy_mode or is_privacy_asked_for(client),
            before_send=before_send,
            compat=compat == "posthog",
            client_options=client_options,
        )
        return Forwarding(token, host=address, prefixes=prefixes, max_queue_bytes=max_queue_bytes, on_error=on_error)
    if destination != "events":
        raise ValueError(f'destination is {destination!r}. It must be "events" or "otlp".')
    return Events(
        token,
        host=address,
        is_private=lambda: privacy_mode or is_privacy_asked_for(client),
        mapper_options={"compat": compat, "prefixes": prefixes},
        max_queue_bytes=max_queue_bytes,
        client_options={**(client_options or {}), "before_send": before_send, "on_error": on_error},
    )
