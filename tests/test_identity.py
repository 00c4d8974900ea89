"""Whose an event is: users and sessions from the home that each dialect has, shared within a trace, or nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import OTHER_TRACE, TRACE, by_span, chat, map_spans, span, span_id

Json = Any

# Where the application names its user, by who reads it there. `#` leads to a member of JSON text.
USERS = {
    "PostHog": ["posthog.distinct_id", "metadata.posthog_distinct_id"],
    "conventions": ["user.id", "enduser.id"],
    "Vercel": [
        "ai.telemetry.metadata.posthog_distinct_id",
        "ai.settings.context.posthog_distinct_id",
        "ai.telemetry.metadata.userId",
        "ai.telemetry.metadata.user_id",
        "ai.settings.context.userId",
    ],
    "Traceloop": [
        "traceloop.association.properties.user_id",
        "traceloop.association.properties.posthog_distinct_id",
    ],
    "Langfuse": ["langfuse.user.id", "langfuse.trace.metadata.posthog_distinct_id"],
    "LangSmith": ["langsmith.metadata.user_id", "langsmith.metadata.posthog_distinct_id"],
    "OpenInference": ["metadata#user_id", "metadata#posthog_distinct_id"],
    "OpenRouter": ["trace.metadata.posthog_distinct_id"],
    "LangWatch": ["langwatch.user.id"],
}
SESSIONS = {
    "PostHog": ["$ai_session_id", "metadata.$ai_session_id"],
    "conventions": ["session.id"],
    "Vercel": [
        "ai.telemetry.metadata.$ai_session_id",
        "ai.settings.context.$ai_session_id",
        "ai.telemetry.metadata.sessionId",
        "ai.telemetry.metadata.session_id",
        "ai.settings.context.sessionId",
    ],
    "Traceloop": ["traceloop.association.properties.session_id", "traceloop.association.properties.$ai_session_id"],
    "Langfuse": ["langfuse.session.id"],
    "LangSmith": ["langsmith.metadata.session_id"],
    "OpenInference": ["metadata#session_id"],
    "OpenRouter": ["trace.metadata.$ai_session_id"],
    "LangWatch": ["langwatch.thread.id"],
    "Eve": ["eve.session.id"],
}
CONVERSATIONS = ["gen_ai.conversation.id", "langsmith.metadata.thread_id", "traceloop.association.properties.thread_id"]
STEP = {"traceloop.span.kind": "task"}


def homes(table: dict[str, list[str]]) -> list[str]:
    return [home for places in table.values() for home in places]


def written(home: str, plain: Json) -> dict[str, Json]:
    key, _, member = home.partition("#")
    return {key: json.dumps({member: plain}) if member else plain}


def session_of(event: Json) -> str | None:
    found = event["properties"].get("$ai_session_id")
    return None if found is None else str(found)


def is_somebody(event: Json) -> bool:
    """PostHog makes a person of the distinct id unless the event says not to."""
    return "$process_person_profile" not in event["properties"]


@pytest.mark.parametrize("home", homes(USERS))
def test_a_user_is_found_in_every_home(mapper: str, home: str) -> None:
    (event,) = map_spans(mapper, span(1, chat() | written(home, "user-123")))
    assert event["distinct_id"] == "user-123"
    assert is_somebody(event)


@pytest.mark.parametrize("home", homes(SESSIONS) + CONVERSATIONS)
def test_a_session_is_found_in_every_home(mapper: str, home: str) -> None:
    (event,) = map_spans(mapper, span(1, chat() | written(home, "sess-9")))
    assert session_of(event) == "sess-9"


@pytest.mark.parametrize("home", ["user.id", "traceloop.association.properties.user_id", "metadata#user_id"])
def test_a_number_is_a_name_too(mapper: str, home: str) -> None:
    (event,) = map_spans(mapper, span(1, chat() | written(home, 42)))
    assert event["distinct_id"] == "42"


@pytest.mark.parametrize("home", homes(USERS))
@pytest.mark.parametrize("nobody", ["", True])
def test_an_empty_name_is_none(mapper: str, home: str, nobody: Json) -> None:
    (event,) = map_spans(mapper, span(1, chat() | written(home, nobody)))
    assert not is_somebody(event)


def test_the_user_of_a_model_request_is_not_the_application_s(mapper: str) -> None:
    """Providers take such a parameter to detect abuse; it is often a hash."""
    (event,) = map_spans(mapper, span(1, chat() | {"gen_ai.request.user": "hash", "llm.user": "hash"}))
    assert not is_somebody(event)


def test_the_resource_names_the_user_where_no_span_does(mapper: str) -> None:
    resource = {"user.id": "service-user", "session.id": "service-session"}
    named = chat() | {"user.id": "user-123", "session.id": "sess-9"}
    spans = [span(1, named, resource=resource), span(2, chat(), trace=OTHER_TRACE, resource=resource)]
    events = by_span(map_spans(mapper, *spans))
    assert [events[span_id(number)]["distinct_id"] for number in (1, 2)] == ["user-123", "service-user"]
    assert [session_of(events[span_id(number)]) for number in (1, 2)] == ["sess-9", "service-session"]


@pytest.mark.parametrize("teller", [1, 2, 3])
def test_what_one_span_of_a_trace_knows_holds_for_all(mapper: str, teller: int) -> None:
    known = {"user.id": "user-123", "session.id": "sess-9", "traceloop.association.properties.plan": "pro"}
    told = {1: STEP, 2: chat(), 3: chat()}
    told[teller] = told[teller] | known
    spans = [span(number, plain, parent=min(number - 1, 1)) for number, plain in told.items()]
    for event in map_spans(mapper, *spans):
        assert event["distinct_id"] == "user-123"
        assert session_of(event) == "sess-9"
        assert event["properties"]["plan"] == "pro"


def test_a_span_that_is_filtered_out_still_tells_who_it_was(mapper: str) -> None:
    """An application often names its user on the span of the HTTP request."""
    (event,) = map_spans(mapper, span(1, {"user.id": "user-123"}), span(2, chat(), parent=1))
    assert event["distinct_id"] == "user-123"


def test_other_traces_learn_nothing(mapper: str) -> None:
    spans = [span(1, chat() | {"user.id": "user-123", "session.id": "sess-9"}), span(2, chat(), trace=OTHER_TRACE)]
    other = by_span(map_spans(mapper, *spans))[span_id(2)]
    assert not is_somebody(other)
    assert session_of(other) is None


def test_where_spans_disagree_each_believes_its_nearest_ancestor(mapper: str) -> None:
    told = {"user.id": "ann", "session.id": "s1", "traceloop.association.properties.plan": "free"}
    others = {"user.id": "bob", "session.id": "s2", "traceloop.association.properties.plan": "pro"}
    spans = [span(1, STEP), span(2, STEP | told, parent=1), span(3, STEP | others, parent=1)]
    calls = [span(4, chat(), parent=2), span(5, chat(), parent=3)]
    events = by_span(map_spans(mapper, *spans, *calls))
    people = {number: events[span_id(number)]["distinct_id"] for number in (2, 3, 4, 5)}
    assert people == {2: "ann", 3: "bob", 4: "ann", 5: "bob"}
    assert [session_of(events[span_id(number)]) for number in (4, 5)] == ["s1", "s2"]
    assert not is_somebody(events[span_id(1)])
    assert session_of(events[span_id(1)]) is None
    assert "plan" not in events[span_id(4)]["properties"]


def test_a_conversation_gives_way_to_a_session_anywhere_in_the_trace(mapper: str) -> None:
    """Some libraries invent a conversation for each run."""
    spans = [span(1, STEP | {"session.id": "sess-9"}), span(2, chat() | {"gen_ai.conversation.id": "run-1"}, parent=1)]
    assert {session_of(event) for event in map_spans(mapper, *spans)} == {"sess-9"}


def test_nobody_known_is_one_anonymous_person_for_each_trace(mapper: str) -> None:
    spans = [span(1, STEP), span(2, chat(), parent=1), span(3, chat(), trace=OTHER_TRACE)]
    events = by_span(map_spans(mapper, *spans))
    ids = [events[span_id(number)]["distinct_id"] for number in (1, 2, 3)]
    assert ids[0] == ids[1] != ids[2]
    assert [event["properties"]["$process_person_profile"] for event in events.values()] == [False] * 3


def test_a_session_of_nobody_is_one_anonymous_person_over_traces_and_requests(mapper: str) -> None:
    told = chat() | {"session.id": "sess-9"}
    first = map_spans(mapper, span(1, told), span(2, told, trace=OTHER_TRACE))
    (later,) = map_spans(mapper, span(3, told, trace="2" * 32))
    (stranger,) = map_spans(mapper, span(4, told | {"session.id": "sess-10"}))
    assert {event["distinct_id"] for event in first} == {later["distinct_id"]}
    assert stranger["distinct_id"] != later["distinct_id"]
    assert later["properties"]["$process_person_profile"] is False


def test_spans_without_a_trace_share_one_anonymous_person_for_each_request(mapper: str) -> None:
    first = map_spans(mapper, span(1, chat(), trace=""), span(2, chat(), trace=""))
    (other,) = map_spans(mapper, span(3, chat(), trace=""))
    assert len({event["distinct_id"] for event in first}) == 1
    assert other["distinct_id"] != first[0]["distinct_id"]


def test_the_same_request_gives_the_same_ids_again(mapper: str) -> None:
    spans = [span(1, STEP), span(2, chat(), parent=1), span(3, chat(), trace=""), span(3, chat(), trace=TRACE)]
    assert map_spans(mapper, *spans) == map_spans(mapper, *spans)
    assert len({event["uuid"] for event in map_spans(mapper, *spans)}) == 4
