"""The tree holds: one root a trace, parents that exist, filtered parents replaced by the nearest kept ancestor."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import OTHER_TRACE, TRACE, by_span, chat, map_spans, span, span_id

Json = Any

# A span that every filter leaves out.
NOISE = {"http.request.method": "GET"}
STEP = {"traceloop.span.kind": "task"}


def assert_holds(events: list[Json]) -> None:
    """Parents exist; a trace has one event without a parent, or one below the trace id, whose parent is elsewhere."""
    for trace in {event["properties"]["$ai_trace_id"] for event in events}:
        above = parents([event for event in events if event["properties"]["$ai_trace_id"] == trace])
        assert set(above.values()) <= {None, trace, *above}
        tops = [number for number, parent in above.items() if parent is None]
        below_trace = [number for number, parent in above.items() if parent == trace]
        assert len(tops or below_trace) == 1, above


def parents(events: list[Json]) -> dict[str, str | None]:
    return {number: event["properties"].get("$ai_parent_id") for number, event in by_span(events).items()}


def test_parents_that_are_kept_stay(mapper: str) -> None:
    events = map_spans(mapper, span(1, STEP), span(2, STEP, parent=1), span(3, chat(), parent=2))
    assert parents(events) == {span_id(1): None, span_id(2): span_id(1), span_id(3): span_id(2)}
    assert [event["event"] for event in events] == ["$ai_trace", "$ai_span", "$ai_generation"]


def test_a_filtered_parent_is_replaced_by_the_nearest_kept_ancestor(mapper: str) -> None:
    noise = [span(2, NOISE, parent=1), span(3, NOISE, parent=2)]
    events = map_spans(mapper, span(4, chat(), parent=3), *noise, span(1, STEP))
    assert parents(events) == {span_id(4): span_id(1), span_id(1): None}


def test_a_single_span_below_a_filtered_root_becomes_the_root(mapper: str) -> None:
    events = map_spans(mapper, span(1, NOISE), span(2, chat(), parent=1))
    assert parents(events) == {span_id(2): None}


def test_a_filtered_root_above_several_spans_is_kept_as_the_trace(mapper: str) -> None:
    calls = [span(2, chat(), parent=1), span(3, chat(), parent=1)]
    events = by_span(map_spans(mapper, span(1, NOISE, name="GET /ask", seconds=3), *calls))
    root = events[span_id(1)]
    assert root["event"] == "$ai_trace"
    assert root["properties"]["$ai_span_name"] == "GET /ask"
    assert root["properties"]["$ai_latency"] == 3
    assert {events[span_id(number)]["properties"]["$ai_parent_id"] for number in (2, 3)} == {span_id(1)}


def test_a_shared_parent_that_is_not_in_the_request_gets_a_trace_of_its_id(mapper: str) -> None:
    events = map_spans(mapper, span(2, chat(), parent=9), span(3, chat(), parent=9))
    (root,) = [event for event in events if event["event"] == "$ai_trace"]
    assert root["properties"]["$ai_span_id"] == span_id(9)
    assert parents(events) == {span_id(9): None, span_id(2): span_id(9), span_id(3): span_id(9)}


def test_a_made_trace_has_the_uuid_of_the_one_that_may_still_come(mapper: str) -> None:
    made = by_span(map_spans(mapper, span(2, chat(), parent=9), span(3, chat(), parent=9)))[span_id(9)]
    (late,) = map_spans(mapper, span(9, STEP))
    assert (made["event"], made["uuid"]) == (late["event"], late["uuid"])


def test_a_single_parent_that_is_not_in_the_request_gives_way_to_the_trace(mapper: str) -> None:
    (event,) = map_spans(mapper, span(2, chat(), parent=9))
    assert event["properties"]["$ai_parent_id"] == TRACE
    assert event["properties"]["otel_parent_span_id"] == span_id(9)


def test_several_roots_of_one_trace_hang_below_the_first(mapper: str) -> None:
    events = map_spans(mapper, span(1, chat()), span(2, chat()), span(3, chat()))
    assert parents(events) == {span_id(1): None, span_id(2): span_id(1), span_id(3): span_id(1)}


def test_traces_of_one_request_stay_apart(mapper: str) -> None:
    first, second = map_spans(mapper, span(1, STEP), span(2, chat(), parent=1, trace=OTHER_TRACE))
    assert "$ai_parent_id" not in first["properties"]
    assert second["properties"]["$ai_parent_id"] == OTHER_TRACE


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("attributes", [chat(), STEP, NOISE])
def test_a_cycle_of_parents_ends(mapper: str, length: int, attributes: dict[str, Json]) -> None:
    """A span may even be its own parent; below the cycle hangs a call."""
    cycle = [span(number, attributes, parent=number % length + 1) for number in range(1, length + 1)]
    events = map_spans(mapper, *cycle, span(9, chat(), parent=1))
    above = parents(events)
    assert span_id(9) in above
    assert len(events) == (1 if attributes == NOISE else length + 1)
    assert set(above.values()) <= {None, TRACE, *above}
    assert [parent in {None, TRACE} for parent in above.values()].count(True) == 1


@st.composite
def forests(draw: st.DrawFn) -> list[Json]:
    """Spans of one or two traces in any order, whose parents are among them, elsewhere, or nobody."""
    size = draw(st.integers(1, 8))
    spans = [
        span(
            number,
            draw(st.sampled_from([chat(), STEP, NOISE])),
            parent=draw(st.sampled_from([*range(number), size + 1, size + 2])),
            trace=draw(st.sampled_from([TRACE, TRACE, TRACE, OTHER_TRACE])),
        )
        for number in range(1, size + 1)
    ]
    return draw(st.permutations(spans))


@given(spans=forests())
def test_any_forest_holds(mapper: str, spans: list[Json]) -> None:
    assert_holds(map_spans(mapper, *spans))


@given(spans=forests())
def test_every_kept_span_is_one_event(mapper: str, spans: list[Json]) -> None:
    kept = set()
    for written in spans:
        (flat,) = written["scopeSpans"][0]["spans"]
        if flat["attributes"][0]["key"] != "http.request.method":
            kept.add((flat["traceId"], flat["spanId"]))
    events = map_spans(mapper, *spans)
    told = [(event["properties"]["$ai_trace_id"], event["properties"]["$ai_span_id"]) for event in events]
    assert len(told) == len(set(told))
    assert kept <= set(told)
    assert len({event["uuid"] for event in events}) == len(told)
