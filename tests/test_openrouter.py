"""OpenRouter Broadcast: one delivery is a call, its attempts and its streaming phase; a connection test is nothing.

The shape of a delivery is that of OpenRouter's documentation of Broadcast to an OpenTelemetry collector, and of
deliveries that its users published: each span in a `resourceSpans` item of its own, `intValue` as a JSON number.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import by_span, map_best

Json = Any

TRACE = "11111111111111112222222222222222"
ROOT, ATTEMPT, SECOND_ATTEMPT, PHASE = "1111111111111111", "3333333333333333", "4444444444444444", "5555555555555555"
START = 1_790_000_000_000_000_000
MILLISECOND = 1_000_000

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
COMPLETION: dict[str, Json] = {
    "completion": "yo",
    "reasoning": None,
    "toolCalls": [],
    "rawRequest": {"model": "anthropic/claude-x", "temperature": 0.2, "max_tokens": 64},
}
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "anthropic/claude-x",
    "gen_ai.response.model": "anthropic/claude-x-2026",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.system": "anthropic",
    "gen_ai.response.id": "gen-1",
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.total_tokens": 150,
    "gen_ai.usage.input_tokens.cached": 40,
    "gen_ai.usage.input_tokens.cache_write": 16,
    "gen_ai.usage.output_tokens.reasoning": 10,
    "gen_ai.usage.input_cost": 0.00012,
    "gen_ai.usage.output_cost": 0.0003,
    "gen_ai.usage.total_cost": 0.00042,
    "gen_ai.prompt": json.dumps({"messages": MESSAGES}),
    "gen_ai.completion": json.dumps(COMPLETION),
    "span.input": json.dumps({"messages": MESSAGES}),
    "trace.output": json.dumps(COMPLETION),
    "gen_ai.response.finish_reason": "stop",
    "gen_ai.response.finish_reasons": '["stop"]',
    "user.id": "u1",
    "session.id": "s1",
    "trace.name": "OpenRouter Request",
    "span.type": "generation",
    "span.level": "DEFAULT",
    "trace.metadata.openrouter.provider_name": "Amazon Bedrock",
    "trace.metadata.openrouter.first_token_ms": 250,
    "trace.metadata.openrouter.entity_id": "org_secret",
    "trace.metadata.openrouter.creator_user_id": "user_secret",
    "trace.metadata.feature": "search",
}
REPEATED = ("gen_ai.operation.name", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.total_cost")
CHILD = {key: CALL[key] for key in REPEATED}


def value(plain: Json) -> Json:
    """As OpenRouter writes it: integers are JSON numbers."""
    if isinstance(plain, str):
        return {"stringValue": plain}
    return {"intValue": plain} if isinstance(plain, int) else {"doubleValue": plain}


def item(span_id: str, parent: str, name: str, attributes: dict[str, Json], *, error: str = "", kind: int = 2) -> Json:
    resource = {"service.name": "openrouter", "openrouter.trace.id": "gen-1"}
    return {
        "resource": {"attributes": [{"key": key, "value": value(text)} for key, text in resource.items()]},
        "scopeSpans": [
            {
                "scope": {"name": "openrouter"},
                "spans": [
                    {
                        "traceId": TRACE,
                        "spanId": span_id,
                        "parentSpanId": parent,
                        "name": name,
                        "kind": kind,
                        "startTimeUnixNano": str(START),
                        "endTimeUnixNano": str(START + 1500 * MILLISECOND),
                        "status": {"code": 2, "message": error} if error else {"code": 1},
                        "attributes": [{"key": key, "value": value(plain)} for key, plain in attributes.items()],
                    }
                ],
            }
        ],
    }


def attempt(number: int, span_id: str, status: int, *, error: str = "") -> Json:
    told = {"gen_ai.response.id": f"gen-1:attempt-{number}", "span.metadata.status_code": status, "span.type": "span"}
    return item(span_id, ROOT, f"provider attempt {number}: Amazon Bedrock", CHILD | told, error=error)


def delivery(*items: Json) -> bytes:
    return json.dumps({"resourceSpans": items}).encode()


def root(**changes: Json) -> Json:
    return item(ROOT, "", "LLM Generation", CALL | changes, kind=3)


@pytest.fixture(scope="module")
def events(mapper: str) -> dict[str, Json]:
    """A call that failed at the first provider and was answered, in a stream, by the second."""
    phase = item(PHASE, ROOT, "generation", CHILD | {"gen_ai.response.id": "gen-1:generation", "span.type": "span"})
    attempts = [attempt(1, ATTEMPT, 503, error="no capacity"), attempt(2, SECOND_ATTEMPT, 200)]
    return by_span(map_best(mapper, delivery(root(), *attempts, phase)))


def test_a_delivery_is_one_generation(events: dict[str, Json]) -> None:
    names = {number: event["event"] for number, event in events.items()}
    assert names == {ROOT: "$ai_generation", ATTEMPT: "$ai_span", SECOND_ATTEMPT: "$ai_span", PHASE: "$ai_span"}


def test_attempts_hang_below_the_call_and_tell_their_outcome(events: dict[str, Json]) -> None:
    below = {number: event["properties"] for number, event in events.items() if number != ROOT}
    assert {properties["$ai_parent_id"] for properties in below.values()} == {ROOT}
    assert below[ATTEMPT]["$ai_is_error"] is True
    assert "no capacity" in below[ATTEMPT]["$ai_error"]
    assert below[SECOND_ATTEMPT].get("$ai_is_error", False) is False


def test_only_the_call_is_billed(events: dict[str, Json]) -> None:
    billed = (
        "$ai_input_tokens",
        "$ai_output_tokens",
        "$ai_total_cost_usd",
        "$ai_input_cost_usd",
        "$ai_output_cost_usd",
    )
    for number, event in events.items():
        assert [name for name in billed if name in event["properties"]] == ([*billed] if number == ROOT else [])


def test_cost_is_what_openrouter_billed(events: dict[str, Json]) -> None:
    call = events[ROOT]["properties"]
    costs = [call[f"$ai_{kind}_cost_usd"] for kind in ("input", "output", "total")]
    assert costs == [0.00012, 0.0003, 0.00042]
    assert call["$ai_cost_passthrough"] is True


def test_cached_tokens_are_part_of_the_input(events: dict[str, Json]) -> None:
    call = events[ROOT]["properties"]
    assert call["$ai_input_tokens"] == 120
    assert call["$ai_cache_read_input_tokens"] == 40
    assert call["$ai_cache_creation_input_tokens"] == 16
    assert call["$ai_cache_reporting_exclusive"] is False
    assert (call["$ai_output_tokens"], call["$ai_reasoning_tokens"]) == (30, 10)


def test_messages_parameters_and_outcome(events: dict[str, Json]) -> None:
    call = events[ROOT]["properties"]
    assert call["$ai_input"] == MESSAGES
    assert [(message["role"], message["content"]) for message in call["$ai_output_choices"]] == [("assistant", "yo")]
    assert call["$ai_model_parameters"]["temperature"] == 0.2
    assert (call["$ai_model"], call["$ai_provider"]) == ("anthropic/claude-x-2026", "anthropic")
    assert (call["$ai_stop_reason"], call["$ai_latency"], call["$ai_time_to_first_token"]) == ("stop", 1.5, 0.25)


def test_people_sessions_and_custom_data_hold_for_all_events(events: dict[str, Json]) -> None:
    for event in events.values():
        assert event["distinct_id"] == "u1"
        assert event["properties"]["$ai_session_id"] == "s1"
        assert event["properties"]["feature"] == "search"
        assert "$process_person_profile" not in event["properties"]


def test_the_account_behind_the_key_is_not_told(events: dict[str, Json]) -> None:
    assert "_secret" not in json.dumps(events)


def test_duplicates_of_the_content_do_not_pass(events: dict[str, Json]) -> None:
    copies = ("span.input", "trace.output", "gen_ai.prompt", "gen_ai.completion")
    assert [name for event in events.values() for name in copies if name in event["properties"]] == []


def test_privacy_mode_keeps_numbers_and_custom_data(mapper: str) -> None:
    (event,) = map_best(mapper, delivery(root()), privacy_mode=True)
    assert event["properties"].keys() & {"$ai_input", "$ai_output_choices"} == set()
    assert "Be brief." not in json.dumps(event)
    assert (event["properties"]["$ai_total_cost_usd"], event["properties"]["feature"]) == (0.00042, "search")


def test_a_free_call_costs_nothing_and_says_so(mapper: str) -> None:
    free = {f"gen_ai.usage.{kind}_cost": 0 for kind in ("input", "output", "total")}
    (event,) = map_best(mapper, delivery(root(**free)))
    assert event["properties"]["$ai_total_cost_usd"] == 0
    assert event["properties"]["$ai_cost_passthrough"] is True


def test_a_failed_call_is_an_error_without_a_price(mapper: str) -> None:
    told = {key: plain for key, plain in CALL.items() if "usage" not in key} | {"span.level": "ERROR"}
    failed = item(ROOT, "", "LLM Generation", told, error="Provider returned error", kind=3)
    (event,) = map_best(mapper, delivery(failed, attempt(1, ATTEMPT, 503, error="no capacity")))[:1]
    call = event["properties"]
    assert (event["event"], call["$ai_is_error"]) == ("$ai_generation", True)
    assert "Provider returned error" in call["$ai_error"]
    assert [name for name in call if "cost" in name or name.endswith("_tokens")] == []


def test_tool_calls_of_an_empty_answer_are_told(mapper: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    answer = json.dumps({**COMPLETION, "completion": "", "toolCalls": [call]})
    told = {"gen_ai.completion": answer, "gen_ai.response.finish_reasons": '["tool_calls"]'}
    (event,) = map_best(mapper, delivery(root(**told)))
    (choice,) = event["properties"]["$ai_output_choices"]
    assert choice["tool_calls"] == [call]


def test_a_connection_test_is_no_event(mapper: str) -> None:
    probe = item("0000000000000001", "", "openrouter-connection-test", {}, kind=1)
    probe["scopeSpans"][0]["spans"][0]["traceId"] = "00000000000000000000000000000001"
    assert map_best(mapper, delivery(probe)) == []


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans":[]}'])
def test_an_empty_delivery_is_no_event(mapper: str, body: bytes) -> None:
    assert map_best(mapper, body) == []
