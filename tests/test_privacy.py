"""Privacy mode: what was said is nowhere in an event; numbers, names and custom data stay. And secrets in any mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from builders import attributes, chat, map_best, map_spans, span
from judged import COUNTED_TWICE
from mappers import MAPPERS
from truth import exports, facts, reading, report
from truth.facts import Scenario

Json = Any

CONTENT = {"$ai_input", "$ai_output_choices", "$ai_input_state", "$ai_output_state", "$ai_instructions"}
CONTENT_FAMILIES = ("user_text", "system_text", "assistant_text", "tool_calls", "tool_input", "tool_output")
# Shorter texts, such as a city, turn up by chance.
MIN_CHARACTERS = 7

SAID = "the patient is ill"
MESSAGE = json.dumps([{"role": "user", "content": SAID, "parts": [{"type": "text", "content": SAID}]}])
DOCUMENT = json.dumps({"messages": [{"role": "user", "content": SAID}], "text": SAID})
# Every home that a dialect has for what was said.
HOMES: dict[str, dict[str, Json]] = {
    "conventions": {
        "gen_ai.input.messages": MESSAGE,
        "gen_ai.output.messages": MESSAGE,
        "gen_ai.system_instructions": SAID,
        "gen_ai.tool.call.arguments": DOCUMENT,
        "gen_ai.tool.call.result": SAID,
    },
    "older conventions": {"gen_ai.prompt": DOCUMENT, "gen_ai.completion": DOCUMENT, "gen_ai.content.prompt": SAID},
    "indexed attributes": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": SAID,
        "gen_ai.completion.0.content": SAID,
        "gen_ai.completion.0.tool_calls.0.arguments": DOCUMENT,
        "llm.prompts.0.content": SAID,
        "llm.completions.0.content": SAID,
    },
    "Traceloop": {"traceloop.entity.input": DOCUMENT, "traceloop.entity.output": DOCUMENT},
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "input.value": DOCUMENT,
        "output.value": SAID,
        "llm.input_messages.0.message.content": SAID,
        "llm.input_messages.0.message.contents.0.message_content.text": SAID,
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": DOCUMENT,
        "llm.prompt_template.template": SAID,
        "llm.prompt_template.variables": DOCUMENT,
        "embedding.embeddings.0.embedding.text": SAID,
        "retrieval.documents.0.document.content": SAID,
        "reranker.input_documents.0.document.content": SAID,
    },
    "Vercel": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.prompt": DOCUMENT,
        "ai.prompt.messages": MESSAGE,
        "ai.response.text": SAID,
        "ai.response.object": DOCUMENT,
        "ai.response.reasoning": SAID,
        "ai.response.toolCalls": DOCUMENT,
        "ai.toolCall.args": DOCUMENT,
        "ai.toolCall.result": DOCUMENT,
        "ai.value": SAID,
        "ai.values": [SAID],
    },
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": DOCUMENT,
        "langfuse.observation.output": SAID,
        "langfuse.trace.input": SAID,
        "langfuse.trace.output": SAID,
    },
    "MLflow": {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": DOCUMENT, "mlflow.spanOutputs": DOCUMENT},
    "Pydantic AI": {
        "events": MESSAGE,
        "all_messages_events": MESSAGE,
        "pydantic_ai.all_messages": MESSAGE,
        "final_result": SAID,
        "tool_arguments": DOCUMENT,
        "tool_response": SAID,
    },
    "Logfire": {"logfire.msg": SAID, "request_data": DOCUMENT, "response_data": DOCUMENT},
    "LiteLLM": {"llm.openai.messages": str([{"role": "user", "content": SAID}]), "llm.openai.choices": DOCUMENT},
    "OpenRouter": {"span.input": DOCUMENT, "span.output": SAID, "trace.input": DOCUMENT, "trace.output": SAID},
    "LangWatch": {"langwatch.input": DOCUMENT, "langwatch.output": DOCUMENT},
    "Google ADK": {"gcp.vertex.agent.llm_request": DOCUMENT, "gcp.vertex.agent.tool_call_args": DOCUMENT},
}
KINDS: dict[str, dict[str, Json]] = {
    "call": chat(),
    "tool run": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"},
    "step": {"gen_ai.operation.name": "invoke_agent"},
}
EVENTS = [
    ("gen_ai.user.message", {"content": SAID}),
    ("gen_ai.choice", {"message": SAID}),
    ("gen_ai.content.prompt", {"gen_ai.prompt": MESSAGE}),
    (
        "gen_ai.client.inference.operation.details",
        {"gen_ai.input.messages": MESSAGE, "gen_ai.output.messages": MESSAGE},
    ),
]

SECRET = "sk-very-secret"  # noqa: S105
SECRETS = {
    "metadata.user_api_key_hash": SECRET,
    "metadata.user_api_key_alias": SECRET,
    "metadata.user_api_key_user_id": SECRET,
    "metadata.requester_ip_address": SECRET,
    "metadata.requester_custom_headers": json.dumps({"x-key": SECRET}),
    "metadata.headers": json.dumps({"authorization": SECRET}),
    "user_api_key_team_id": SECRET,
    "gen_ai.user_api_key_hash": SECRET,
    "api_key": SECRET,
    "llm.api_key": SECRET,
    "authorization": SECRET,
    "http.request.header.authorization": SECRET,
    "http.request.header.x-api-key": SECRET,
    "ai.request.headers.authorization": SECRET,
    "ai.request.headers.user-agent": SECRET,
    "llm.headers": json.dumps({"authorization": SECRET}),
    "x_api_key": SECRET,
}


# Other spellings, and places further inside.
HIDDEN_SECRETS = {
    "Authorization": SECRET,
    "metadata.Authorization": SECRET,
    "x-api-key": SECRET,
    "metadata.api-key": SECRET,
    "metadata.extra_headers": json.dumps({"x-key": SECRET}),
    "gen_ai.request.extra_headers": json.dumps({"x-key": SECRET}),
    "metadata.hidden_params": json.dumps({"api_key": SECRET}),
    "metadata.proxy": json.dumps({"user_api_key_hash": SECRET}),
    "metadata": json.dumps({"proxy": {"user_api_key_hash": SECRET}}),
    "llm.invocation_parameters": json.dumps({"extra_headers": {"authorization": SECRET}}),
}


def said_in(scenario: Scenario) -> Iterator[str]:
    """What was said in a scenario: by people, models and tools, also as tool arguments."""
    for call in scenario.calls:
        yield from (*call.user_texts, *call.system_texts, *call.answer_texts)
        yield from (str(argument) for _, given in call.tool_calls for argument in reading.scalars(given))
    for tool in scenario.tools:
        # The message of a failure is an error, and errors stay.
        yield "" if tool.failed else tool.result
        yield from map(str, reading.scalars(tool.arguments))


def all_texts(events: list[Json]) -> list[str]:
    """Every text of the events, keys among them; JSON text opened."""
    keys = [key for event in events for found in reading.objects(event) for key in found]
    return [*reading.texts(events), *keys]


def test_nothing_that_was_said_survives_in_any_captured_export(mapper: str) -> None:
    scenarios = 0
    for scenario in facts.load():
        said = {text for text in said_in(scenario) if len(text) >= MIN_CHARACTERS}
        told = [event for body in exports.bodies(scenario) for event in map_best(mapper, body, privacy_mode=True)]
        # The tools that a request offers are the application's; an argument may be one of the values that a tool lists.
        texts = all_texts([{**event["properties"], "$ai_tools": None} for event in told])
        assert [text for text in said if any(text in found for found in texts)] == [], scenario.name
        scenarios += bool(said and told)
    assert scenarios >= 150


def test_everything_else_stays_as_it_is_without_privacy(mapper: str) -> None:
    for scenario in facts.load():
        for body in exports.bodies(scenario):
            private, public = map_best(mapper, body, privacy_mode=True), map_best(mapper, body)
            for kept, whole in zip(private, public, strict=True):
                expected = {name: found for name, found in whole["properties"].items() if name not in CONTENT}
                assert kept == whole | {"properties": expected}, scenario.name


def test_everything_else_is_told_as_truthfully_as_without_privacy(mapper: str) -> None:
    private = report.of_mapper(MAPPERS[mapper].Mapper(compat="best", privacy_mode=True).map_traces)
    wrong = [verdict for verdict in private.wrong() if verdict.family not in CONTENT_FAMILIES]
    assert {verdict.scenario for verdict in wrong} <= COUNTED_TWICE.keys(), wrong


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", HOMES)
def test_no_home_of_content_leaks(mapper: str, dialect: str, kind: str) -> None:
    told = span(1, KINDS[kind] | HOMES[dialect], events=EVENTS)
    (event,) = map_spans(mapper, told, privacy_mode=True)
    assert [text for text in all_texts([event]) if SAID in text] == []


@pytest.mark.parametrize("dialect", HOMES)
def test_each_home_is_read_or_dropped_without_privacy(mapper: str, dialect: str) -> None:
    """Content only stands in properties that privacy mode takes away: nothing passes through raw."""
    for key, value in HOMES[dialect].items():
        (event,) = map_spans(mapper, span(1, chat() | {key: value}))
        assert [name for name, found in event["properties"].items() if name not in CONTENT and SAID in str(found)] == []


def test_numbers_names_and_custom_data_stay(mapper: str) -> None:
    told = chat(
        gen_ai__input__messages=MESSAGE,
        gen_ai__usage__input_tokens=7,
        gen_ai__usage__output_tokens=3,
        gen_ai__usage__total_cost=0.5,
        gen_ai__response__finish_reasons=["stop"],
    )
    custom = {"traceloop.association.properties.plan": "pro", "user.id": "user-123"}
    (event,) = map_spans(mapper, span(1, told | custom), privacy_mode=True)
    properties = event["properties"]
    assert event["distinct_id"] == "user-123"
    told_numbers = [
        properties[f"$ai_{name}"] for name in ("input_tokens", "output_tokens", "total_cost_usd", "latency")
    ]
    assert told_numbers == [7, 3, 0.5, 1]
    assert (properties["$ai_model"], properties["$ai_stop_reason"], properties["plan"]) == ("m1", "stop", "pro")


@pytest.mark.parametrize("privacy_mode", [False, True])
@pytest.mark.parametrize("key", SECRETS)
def test_a_secret_never_travels(mapper: str, key: str, privacy_mode: bool) -> None:
    for kind in KINDS.values():
        written = span(1, kind | {key: SECRETS[key]}, scope="litellm", resource={key: SECRETS[key]})
        (event,) = map_spans(mapper, written, privacy_mode=privacy_mode)
        assert [text for text in all_texts([event]) if SECRET in text] == []


@pytest.mark.parametrize("key", HIDDEN_SECRETS)
def test_a_secret_in_an_odd_place_never_travels(mapper: str, key: str) -> None:
    (event,) = map_spans(mapper, span(1, chat() | {key: HIDDEN_SECRETS[key]}))
    assert SECRET not in json.dumps(event)


@pytest.mark.parametrize("privacy_mode", [False, True])
def test_a_secret_inside_a_metadata_object_never_travels(mapper: str, privacy_mode: bool) -> None:
    metadata = {"user_api_key_hash": SECRET, "headers": {"authorization": SECRET}, "plan": "pro"}
    (event,) = map_spans(mapper, span(1, chat() | {"metadata": json.dumps(metadata)}), privacy_mode=privacy_mode)
    assert SECRET not in json.dumps(event)
    assert event["properties"]["plan"] == "pro"


def test_all_secrets_at_once_leave_nothing_behind(mapper: str) -> None:
    written = span(1, chat() | SECRETS, scope="litellm")
    written["resource"]["attributes"] += attributes(SECRETS)
    assert SECRET not in json.dumps(map_spans(mapper, written))
