"""Which spans travel together: those of one trace, as far as they have ended.

A mapper sees one request at a time. It joins a wrapper's span and the call inside it, and replaces parents that were
filtered out, only where it sees both; so the spans of a trace wait for each other. They do not wait for ever: what is
cut off is mapped with an account of the spans that lie elsewhere, so that parents are right in every piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan

Elsewhere = tuple[ReadableSpan, bool]

# What is remembered of one trace beyond the spans that wait. A trace of a session that lasts for days goes on for ever.
MAX_REMEMBERED_SPANS = 1024


@dataclass(frozen=True)
class Piece:
    """Spans that are mapped together.

    Attributes:
        spans: In the order in which they ended, those that are not about AI included.
        elsewhere: Spans above them, open or told of before, each with whether it is or will be an event.
        ai_spans: How many of `spans` are about AI.
    """

    spans: list[ReadableSpan]
    elsewhere: list[Elsewhere]
    ai_spans: int


@dataclass
class _Trace:
    since: float
    # Each with whether it is about AI.
    ended: list[Elsewhere] = field(default_factory=list)
    ai_spans: int = 0
    # What other pieces had, by span id; once there is such a piece, the trace is cut.
    told: dict[int, Elsewhere] = field(default_factory=dict)


class WaitingRoom:
    """Holds ended spans until their trace is complete. Only one thread at a time may use it.

    Args:
        keeps: Whether the filter keeps a span.
        patience_seconds: How long the spans of a trace wait for those that are still open.
        max_noise: Spans that are not about AI, over all traces; the oldest traces forget theirs first.
    """

    def __init__(self, keeps: Callable[[ReadableSpan], bool], patience_seconds: float, max_noise: int) -> None:
        self._keeps = keeps
        self._patience_seconds = patience_seconds
        self._max_noise = max_noise
        self._traces: dict[int, _Trace] = {}
        self._noise = 0
        self.ai_spans = 0

    def add(self, trace_id: int, span: ReadableSpan, is_ai: bool, now: float) -> None:
        """Takes in a span that has ended."""
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = _Trace(now)
        if is_ai:
            if not trace.ai_spans:
                trace.since = now
            trace.ai_spans += 1
            self.ai_spans += 1
        else:
            self._noise += 1
        trace.ended.append((span, is_ai))

    def take(self, open_spans: Mapping[int, ReadableSpan], now: float, *, everything: bool = False) -> list[Piece]:
        """Takes out what can travel: traces that have no open span, those that waited long enough, or all.

        Args:
            open_spans: The spans that have not ended, by id.
            now: On the clock that `add` was given.
            everything: Do not wait any longer.
        """
        live = {context.trace_id for span in open_spans.values() if (context := span.get_span_context()) is not None}
        pieces = []
        for trace_id in list(self._traces):
            trace = self._traces[trace_id]
            is_complete = trace_id not in live
            if trace.ai_spans and (is_complete or everything or now - trace.since >= self._patience_seconds):
                self.ai_spans -= trace.ai_spans
                self._noise -= len(trace.ended) - trace.ai_spans
                pieces.append(self._whole(trace) if is_complete and not trace.told else self._cut(trace, open_spans))
            if is_complete:
                self._noise -= len(trace.ended)
                del self._traces[trace_id]
        if self._noise > self._max_noise:
            self._forget_noise()
        return pieces

    def _whole(self, trace: _Trace) -> Piece:
        piece = Piece([span for span, _ in trace.ended], [], trace.ai_spans)
        trace.ended = []
        return piece

    def _cut(self, trace: _Trace, open_spans: Mapping[int, ReadableSpan]) -> Piece:
        """A piece of a trace. What is not about AI lies elsewhere: its first span may be above other pieces, too."""
        own = {_id_of(span): span for span, is_ai in trace.ended if is_ai}
        for span, is_ai in trace.ended:
            if not is_ai:
                trace.told[_id_of(span)] = (span, False)
        elsewhere: dict[int, Elsewhere] = {}
        for span in own.values():
            for number, above in self._above(span, own, trace.told, open_spans):
                if number in elsewhere:
                    break
                elsewhere[number] = above
        for number, span in own.items():
            trace.told[number] = (_without_content(span), True)
        while len(trace.told) > MAX_REMEMBERED_SPANS:
            del trace.told[next(iter(trace.told))]
        ai_spans, trace.ended, trace.ai_spans = trace.ai_spans, [], 0
        return Piece(list(own.values()), list(elsewhere.values()), ai_spans)

    def _above(
        self,
        span: ReadableSpan,
        own: Mapping[int, ReadableSpan],
        told: Mapping[int, Elsewhere],
        open_spans: Mapping[int, ReadableSpan],
    ) -> Iterable[tuple[int, Elsewhere]]:
        """The known spans above one, up to the first that is in the piece itself."""
        # A circle of parents cannot come from a tracer, but from spans that somebody has made by hand.
        for _ in range(MAX_REMEMBERED_SPANS):
            parent = span.parent
            if parent is None or parent.span_id in own:
                return
            number = parent.span_id
            if number in told:
                above = told[number]
            elif number in open_spans:
                above = (open_spans[number], self._keeps(open_spans[number]))
            else:
                return
            yield number, above
            span = above[0]

    def _forget_noise(self) -> None:
        for trace in self._traces.values():
            if self._noise <= self._max_noise:
                return
            if not trace.ai_spans:
                self._noise -= len(trace.ended)
                trace.ended = []


def _id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    return context.span_id if context is not None else 0


def _without_content(span: ReadableSpan) -> ReadableSpan:
    """What the tree needs of a span; prompts are not held longer than they have to be."""
    return ReadableSpan(
        span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        start_time=span.start_time,
        end_time=span.end_time,
    )
