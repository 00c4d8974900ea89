"""Span objects of the OpenTelemetry SDK give the events of the request that the SDK's exporter would send."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status

import sdk
import spanmap
from encode import to_protobuf
from mappers import COMPAT_MODES

Json = Any

CORPUS = Path(__file__).parent / "corpus"
BODIES = [row["file"] for row in json.loads((CORPUS / "manifest.json").read_text("utf-8"))]
TRACE = 0x0AF7651916CD43DD8448EB211C80319C
CONTEXT = SpanContext(TRACE, 1, is_remote=False)

options = st.fixed_dictionaries({"compat": st.sampled_from(COMPAT_MODES), "privacy_mode": st.booleans()})


def assert_same_as_exported(spans: list[ReadableSpan], **chosen: Any) -> None:
    """Byte for byte, and as objects."""
    mapper, body = spanmap.Mapper(**chosen), sdk.encoded(spans)
    as_json = mapper.map_spans_json(spans)
    assert as_json.decode() == mapper.map_traces_json(body).decode()
    assert mapper.map_spans(spans) == mapper.map_traces(body)
    batch, exported = mapper.map_spans_batch(spans), mapper.map_batch(body)
    assert (batch.to_json(), batch.drops, batch.span_count) == (as_json, exported.drops, exported.span_count)


@given(sdk.drawn_spans(), st.lists(sdk.scopes, min_size=1, max_size=3), sdk.resources, options)
def test_spans_of_a_tracer_map_as_their_export_does(
    drawn: list[sdk.Drawn], scopes: list[InstrumentationScope], resource: Json, chosen: Json
) -> None:
    assert_same_as_exported(sdk.traced(drawn, scopes, resource), **chosen)


@pytest.mark.parametrize("compat", COMPAT_MODES)
@pytest.mark.parametrize("file", BODIES)
def test_captured_spans_map_as_their_export_does(file: str, compat: str) -> None:
    body = (CORPUS / file).read_bytes()
    spans = sdk.from_request(body if file.endswith(".pb") else to_protobuf(json.loads(body)))
    assert spans
    assert_same_as_exported(spans, compat=compat)


def test_spans_of_equal_resources_and_scopes_stand_together() -> None:
    def span(number: int, service: str, scope: str | None) -> ReadableSpan:
        return ReadableSpan(
            "chat",
            context=SpanContext(TRACE, number, is_remote=False),
            resource=Resource({"service.name": service}),
            attributes={"gen_ai.operation.name": "chat", "number": number},
            instrumentation_scope=None if scope is None else InstrumentationScope(scope),
        )

    spans = [span(1, "a", "x"), span(2, "b", "x"), span(3, "a", "y"), span(4, "a", None), span(5, "a", "x")]
    assert_same_as_exported(spans, compat="posthog")
    events = spanmap.Mapper(compat="posthog").map_spans(spans)
    assert [event["properties"]["number"] for event in events] == [1, 5, 3, 4, 2]


@pytest.mark.parametrize(
    "value",
    [
        *("", "text", "Grüße 😀", b"", b"\x00\xff", True, False, 0, -1, 2**63 - 1, -(2**63), 0.5, -0.0, 1e300, None),
        *((), ("a", "b"), (1, 2), (True, None, "x"), ((1, (2,)), {"a": (3,)}), {}, {"a": None, "b": {"c": b"x"}}),
        *(float("inf"), float("nan"), [1, "a"], bytearray(b"ab"), {"k": [None]}),
    ],
    ids=repr,
)
def test_values_of_every_kind_map_as_their_export_does(value: Any) -> None:
    # One as the SDK cleans it, one as somebody's own span holds it.
    cleaned = sdk.one_span(gen_ai__operation__name="chat", custom=value)
    raw = ReadableSpan("chat", context=CONTEXT, attributes={"gen_ai.operation.name": "chat", "custom": value})
    for compat in COMPAT_MODES:
        assert_same_as_exported([cleaned, raw], compat=compat)


def custom(value: Any) -> Any:
    span = ReadableSpan("chat", context=CONTEXT, attributes={"gen_ai.operation.name": "chat", "custom": value})
    return spanmap.Mapper(compat="posthog").map_spans([span])[0]["properties"].get("custom")


def test_lone_surrogates_become_replacement_characters_and_pairs_become_one_character() -> None:
    # The exporter gives up the whole attribute; such text comes from cut or badly decoded answers.
    assert custom("a\ud83d\ude00b\ud800c") == "a😀b�c"
    span = ReadableSpan("\udc00", context=CONTEXT, attributes={"gen_ai.operation.name": "chat", "\ud800": 1})
    properties = spanmap.Mapper(compat="posthog").map_spans([span])[0]["properties"]
    assert (properties["$ai_span_name"], properties["�"]) == ("�", 1)


def test_integers_beyond_64_bits_become_text() -> None:
    assert custom(2**63) == str(2**63)
    assert custom(-(2**63) - 1) == str(-(2**63) - 1)
    # Python refuses to write this one in decimal.
    assert custom(1 << (4 * sys.get_int_max_str_digits())) == "<int>"


def test_objects_of_other_types_become_text() -> None:
    class Silent:
        def __str__(self) -> str:
            raise RuntimeError

    assert custom({1}) == "{1}"
    assert custom(Silent()) == "<Silent>"


def test_values_may_change_while_they_are_read() -> None:
    class Growing:
        def __str__(self) -> str:
            state[f"more {len(state)}"] = 1
            return "text"

    state: dict[str, Any] = {"first": Growing(), "second": Growing()}
    attributes: dict[str, Any] = {"gen_ai.operation.name": "chat", "state": state}
    span = ReadableSpan("chat", SpanContext(1, 2, is_remote=False), attributes=attributes)
    (event,) = spanmap.Mapper().map_spans([span])
    assert event["properties"]["state"] == {"first": "text", "second": "text"}


def test_spans_without_times_status_attributes_and_events_are_read() -> None:
    span = ReadableSpan("ai.chat", context=CONTEXT, status=Status(), attributes=None)
    assert_same_as_exported([span])
    assert spanmap.Mapper().map_spans([span])[0]["timestamp"] is None


def test_any_iterable_of_spans_will_do() -> None:
    spans = [sdk.one_span(gen_ai__operation__name="chat") for _ in range(3)]
    expected = spanmap.Mapper().map_spans(spans)
    assert spanmap.Mapper().map_spans(tuple(spans)) == expected
    # Made and dropped one by one, so that objects of several spans take the same address.
    rebuilt = sdk.from_request(sdk.encoded(spans))
    assert spanmap.Mapper().map_spans(span for span in rebuilt) == expected


@pytest.mark.parametrize("compat", COMPAT_MODES)
def test_one_bad_span_is_left_out_and_the_others_map(compat: str) -> None:
    good = sdk.one_span(gen_ai__operation__name="chat")
    bad = [
        42,
        ReadableSpan("no context"),
        ReadableSpan("chat", context=CONTEXT, start_time=-1),
        ReadableSpan("chat", context=CONTEXT, attributes={f"a{n}": n for n in range(5_000)}),
        ReadableSpan("chat", context=CONTEXT, events=[Event("e", timestamp=-1)]),
        ReadableSpan(None, context=CONTEXT),  # type: ignore[arg-type]
    ]
    mapper = spanmap.Mapper(compat=compat, on_error="skip")  # type: ignore[arg-type]
    batch = mapper.map_spans_batch([bad[0], good, *bad[1:]])
    assert batch.events == spanmap.Mapper(compat=compat).map_spans([good])  # type: ignore[arg-type]
    places = ["[0]", "[2]", "[3]", "[4].attributes", "[5].events", "[6]"]
    assert [error.path for error in batch.errors] == [f"spans{place}" for place in places]
    assert [drop.reason for drop in batch.drops] == ["unreadable"] * 6
    assert mapper.counters == {"spans": 7, "events": len(batch.events), "dropped": {"unreadable": 6}}
    assert isinstance(batch.errors[3], spanmap.LimitError)


def test_an_unreadable_span_raises_by_default_and_the_error_says_what_to_do() -> None:
    with pytest.raises(spanmap.DecodeError) as caught:
        spanmap.Mapper().map_spans([sdk.one_span(), 42])
    assert (caught.value.stage, caught.value.path) == ("span", "spans[1]")
    assert str(caught.value) == (
        "spans[1] cannot be read (AttributeError: 'int' object has no attribute 'get_span_context'). "
        "Pass finished spans of the OpenTelemetry SDK: objects like its ReadableSpan."
    )
    with pytest.raises(spanmap.InputTypeError, match=r"the spans are of type int\. Pass an iterable"):
        spanmap.Mapper().map_spans(42)  # type: ignore[arg-type]


def test_caps_hold_for_span_objects_too() -> None:
    nested: Any = "x"
    for _ in range(31):
        nested = [nested]
    span = ReadableSpan("chat", context=CONTEXT, attributes={"gen_ai.x": nested})
    for chosen, spans, cap in [
        ({}, [span], "max_nesting"),
        ({"limits": {"max_spans": 1}, "on_error": "skip"}, [sdk.one_span(), sdk.one_span()], "max_spans"),
        ({"limits": {"max_attributes": 1}}, [sdk.one_span(a=1, b=2)], "max_attributes"),
        ({"limits": {"max_span_events": 0}}, [ReadableSpan("a", context=CONTEXT, events=[Event("e")])], "max_span_ev"),
    ]:
        mapper = spanmap.Mapper(**chosen)  # type: ignore[arg-type]
        with pytest.raises(spanmap.LimitError, match=f"limits.{cap}"):
            mapper.map_spans(spans)
        with pytest.raises(spanmap.LimitError, match=f"limits.{cap}"):
            mapper.map_traces(sdk.encoded(spans))


def test_what_interrupts_the_program_is_not_swallowed() -> None:
    class Interrupting:
        def get_span_context(self) -> SpanContext:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spanmap.Mapper(on_error="skip").map_spans([Interrupting()])


@given(
    sdk.drawn_spans(),
    st.lists(sdk.scopes, min_size=1, max_size=3),
    st.fixed_dictionaries(
        {"compat": st.sampled_from(COMPAT_MODES), "prefixes": st.sampled_from([None, ["ai."], ["chat", "http."]])}
    ),
)
def test_keeps_tells_what_the_mapper_will_decide(
    drawn: list[sdk.Drawn], scopes: list[InstrumentationScope], chosen: Json
) -> None:
    mapper = spanmap.Mapper(**chosen)
    for span in sdk.traced(drawn, scopes, {}):
        is_dropped = [drop.reason for drop in mapper.map_spans_batch([span]).drops] == ["no_ai_prefix"]
        assert mapper.keeps(span) is not is_dropped


def test_an_evaluation_keeps_a_span_that_is_none() -> None:
    evaluation = Event(
        "gen_ai.evaluation.result", {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 1}
    )
    span = ReadableSpan("GET /", context=CONTEXT, events=[evaluation])
    assert spanmap.Mapper().keeps(span)
    assert not spanmap.Mapper(compat="posthog").keeps(span)
    assert [event["event"] for event in spanmap.Mapper().map_spans([span])] == ["$ai_evaluation"]


def test_encoded_events_are_those_of_the_json() -> None:
    named = sdk.one_span(gen_ai__operation__name="chat", user__id="u1")
    batch = spanmap.Mapper().map_spans_batch([named, sdk.one_span(gen_ai__operation__name="embeddings")])
    encoded = batch.encoded()
    assert [json.loads(item[3]) for item in encoded] == batch.events
    assert b"[" + b",".join(item[3] for item in encoded) + b"]" == batch.to_json()
    assert [item[:2] for item in encoded] == [(event["uuid"], event["event"]) for event in batch.events]
    assert [item[2] for item in encoded] == [True, False]
    assert (batch.encoded(1), batch.encoded(0, 1), batch.encoded(2, 9)) == (encoded[1:], encoded[:1], [])


def family(*numbers: int, **attributes: Any) -> list[ReadableSpan]:
    """Spans of one trace, each the child of the number before it."""
    above, spans = None, []
    for number in numbers:
        context = SpanContext(TRACE, number, is_remote=False)
        spans.append(ReadableSpan(f"span {number}", context, above, attributes=attributes, start_time=number))
        above = context
    return spans


CHAT = {"gen_ai.operation.name": "chat"}


def parents(batch: spanmap.Batch) -> Json:
    return {
        int(event["properties"]["$ai_span_id"], 16): int(event["properties"].get("$ai_parent_id", "0"), 16)
        for event in batch.events
    }


def test_a_parent_that_is_an_event_of_another_request_stays_the_parent() -> None:
    agent, noise, chat = family(1, 2, 3, **CHAT)
    assert parents(spanmap.Mapper().map_spans_batch([chat])) == {3: TRACE}
    batch = spanmap.Mapper().map_spans_batch([chat], elsewhere=[(agent, True), (noise, False)])
    assert parents(batch) == {3: 1}
    assert (batch.span_count, len(batch.drops)) == (1, 0)
    assert "otel_parent_span_id" not in batch.events[0]["properties"]


def test_a_filtered_root_that_is_elsewhere_is_the_root_of_every_piece() -> None:
    root, first = family(1, 2, **CHAT)
    second = ReadableSpan("s", SpanContext(TRACE, 5, is_remote=False), root.context, attributes=CHAT)
    pieces = [spanmap.Mapper().map_spans_batch([span], elsewhere=[(root, False)]) for span in (first, second)]
    assert [parents(piece) for piece in pieces] == [{2: 1, 1: 0}, {5: 1, 1: 0}]
    roots = [event for piece in pieces for event in piece.events if event["event"] == "$ai_trace"]
    assert len({event["uuid"] for event in roots}) == 1
    assert roots[0]["properties"]["$ai_span_name"] == "span 1"


def test_spans_know_their_people_from_above_even_if_that_is_elsewhere() -> None:
    (root,) = family(1, **{"user.id": "u1", "session.id": "s1"})
    _, chat = family(1, 2, **CHAT)
    (event, _) = spanmap.Mapper().map_spans_batch([chat], elsewhere=[(root, False)]).events
    assert (event["distinct_id"], event["properties"]["$ai_session_id"]) == ("u1", "s1")


def test_a_call_below_a_call_that_is_elsewhere_owns_itself() -> None:
    outer, inner = family(1, 2, **CHAT, **{"gen_ai.usage.input_tokens": 3})
    (event,) = spanmap.Mapper().map_spans_batch([inner], elsewhere=[(outer, True)]).events
    assert (event["event"], event["properties"]["$ai_input_tokens"]) == ("$ai_generation", 3)


def test_elsewhere_holds_back_nothing_when_it_cannot_be_read() -> None:
    (chat,) = family(1, **CHAT)
    assert len(spanmap.Mapper().map_spans_batch([chat], elsewhere=[(42, True)]).events) == 1
