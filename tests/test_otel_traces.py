"""However a trace is cut into pieces, the events are those of the whole trace, below the right parents."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

import spanmap
from spanmap.otel.destinations import in_batches
from spanmap.otel.traces import MAX_REMEMBERED_SPANS, Piece, WaitingRoom

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
TOOL = {"gen_ai.operation.name": "execute_tool"}
NOISE = {"http.request.method": "GET"}
PATIENCE = 10.0


def context(number: int, trace: int = TRACE) -> SpanContext:
    return SpanContext(trace, number, is_remote=False)


def make_span(number: int, parent: int | None, attributes: dict[str, Any], trace: int = TRACE) -> ReadableSpan:
    above = None if parent is None else context(parent, trace)
    return ReadableSpan(f"span {number}", context(number, trace), above, attributes=attributes, start_time=number)


def room() -> WaitingRoom:
    return WaitingRoom(spanmap.Mapper().keeps, PATIENCE, max_noise=100)


def parents(pieces: list[Piece]) -> dict[int, int | None]:
    """Of the events of all pieces, those that pieces repeat counted once."""
    mapper = spanmap.Mapper()
    found: dict[int, int | None] = {}
    for piece in pieces:
        for event in mapper.map_spans_batch(piece.spans, elsewhere=piece.elsewhere).events:
            above = event["properties"].get("$ai_parent_id")
            found[int(event["properties"]["$ai_span_id"], 16)] = None if above is None else int(above, 16)
    return found


def expected_parents(tree: list[tuple[int | None, bool]]) -> dict[int, int | None]:
    """Each AI span below its nearest AI ancestor; else below the topmost span, which is then kept as the trace."""
    expected: dict[int, int | None] = {}
    for number, (parent, is_ai) in enumerate(tree, start=1):
        if not is_ai:
            continue
        above, top = parent, number
        while above is not None and not tree[above - 1][1]:
            top, above = above, tree[above - 1][0]
        if above is None and top != number:
            expected[top], above = None, top
        expected[number] = above
    return expected


@st.composite
def trees(draw: Any) -> list[tuple[int | None, bool]]:
    """Spans by number from 1, each with its parent and whether it is about AI; the first is the only root."""
    size = draw(st.integers(1, 9))
    above = [None, *(draw(st.integers(1, number - 1)) for number in range(2, size + 1))]
    return [(parent, draw(st.booleans())) for parent in above]


@given(trees(), st.data())
def test_parents_are_right_wherever_a_trace_is_cut(tree: list[tuple[int | None, bool]], data: st.DataObject) -> None:
    spans = {
        number: make_span(number, parent, TOOL if is_ai else NOISE) for number, (parent, is_ai) in enumerate(tree, 1)
    }
    open_spans, waiting = dict(spans), room()
    pieces: list[Piece] = []
    order: list[int] = data.draw(st.permutations(sorted(spans)))
    # Any order of ends, children after their parents included, as in a program of many tasks.
    for number in order:
        span = open_spans.pop(number)
        waiting.add(TRACE, span, tree[number - 1][1], 0.0)
        is_cut_here: bool = data.draw(st.booleans())
        if open_spans and is_cut_here:
            pieces += waiting.take(open_spans, 0.0, everything=True)
    is_cut = bool(pieces)
    pieces += waiting.take({}, 0.0)
    told = [number for piece in pieces for number in parents([piece])]
    found = parents(pieces)
    expected = expected_parents(tree)
    if not is_cut:
        # A whole trace may do without the root that nothing but one span hangs below.
        lone = [number for number, above in expected.items() if above == 1 and not tree[0][1]]
        if len(lone) == 1:
            del expected[1]
            expected[lone[0]] = None
    assert found == expected
    ai_numbers = [number for number in told if tree[number - 1][1]]
    assert sorted(ai_numbers) == [number for number, (_, is_ai) in enumerate(tree, 1) if is_ai]
    assert waiting.ai_spans == 0


def test_spans_wait_while_a_span_of_their_trace_is_open_but_not_for_ever() -> None:
    waiting, parent = room(), make_span(1, None, NOISE)
    waiting.add(TRACE, make_span(2, 1, TOOL), True, 0.0)
    assert waiting.take({1: parent}, PATIENCE - 1) == []
    (piece,) = waiting.take({1: parent}, PATIENCE)
    assert [span.name for span in piece.spans] == ["span 2"]
    assert piece.elsewhere == [(parent, False)]


def test_the_patience_begins_with_the_first_ai_span_that_waits() -> None:
    waiting, parent = room(), make_span(1, None, TOOL)
    waiting.add(TRACE, make_span(2, 1, NOISE), False, 0.0)
    waiting.add(TRACE, make_span(3, 1, TOOL), True, 5.0)
    assert waiting.take({1: parent}, PATIENCE) == []
    assert len(waiting.take({1: parent}, PATIENCE + 5)) == 1
    waiting.add(TRACE, make_span(4, 1, TOOL), True, 20.0)
    assert waiting.take({1: parent}, 20.0 + PATIENCE - 1) == []


def test_traces_do_not_wait_for_each_other() -> None:
    waiting = room()
    waiting.add(TRACE, make_span(1, None, TOOL), True, 0.0)
    waiting.add(2, make_span(2, 3, TOOL, trace=2), True, 0.0)
    (piece,) = waiting.take({3: make_span(3, None, TOOL, trace=2)}, 0.0)
    assert [span.name for span in piece.spans] == ["span 1"]


def test_a_trace_without_ai_spans_leaves_nothing_behind() -> None:
    waiting = room()
    waiting.add(TRACE, make_span(1, None, NOISE), False, 0.0)
    assert waiting.take({}, 0.0) == []
    assert (waiting._traces, waiting._noise) == ({}, 0)


def test_noise_is_forgotten_where_there_is_too_much_and_ai_spans_are_not() -> None:
    waiting = room()
    open_spans = {trace: make_span(trace, None, NOISE, trace) for trace in (1, 2)}
    waiting.add(2, make_span(5, 2, TOOL, trace=2), True, 0.0)
    for trace in (1, 2):
        for number in range(10, 80):
            waiting.add(trace, make_span(number, trace, NOISE, trace), False, 0.0)
    waiting.take(open_spans, 0.0)
    assert waiting._noise == 70
    (piece,) = waiting.take({}, 0.0)
    assert (piece.ai_spans, len(piece.spans)) == (1, 71)


def test_a_trace_that_goes_on_for_days_is_remembered_in_part() -> None:
    waiting, root = room(), make_span(1, None, TOOL)
    for number in range(2, 3 * MAX_REMEMBERED_SPANS):
        waiting.add(TRACE, make_span(number, 1, TOOL), True, 0.0)
        waiting.take({1: root}, 0.0, everything=True)
    (trace,) = waiting._traces.values()
    assert len(trace.told) == MAX_REMEMBERED_SPANS
    assert all(not span.attributes for span, _ in trace.told.values())


def test_spans_in_a_circle_end_somewhere() -> None:
    waiting = room()
    circle = {number: make_span(number, number % 2 + 1, NOISE) for number in (1, 2)}
    waiting.add(TRACE, make_span(3, 1, TOOL), True, 0.0)
    (piece,) = waiting.take(circle, 0.0, everything=True)
    assert len(piece.elsewhere) == 2


def test_pieces_are_put_together_but_never_taken_apart() -> None:
    spans = [make_span(number, None, TOOL) for number in range(1, 8)]
    pieces = [Piece(spans[:2], [], 2), Piece(spans[2:3], [], 1), Piece(spans[3:7], [], 4), Piece(spans[:1], [], 1)]
    assert [len(batch.spans) for batch in in_batches(pieces, 3)] == [3, 4, 1]
    assert sum(batch.ai_spans for batch in in_batches(pieces, 3)) == 8
