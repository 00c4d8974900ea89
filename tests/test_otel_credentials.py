"""Credentials of remote MCP servers stay here, as with PostHog's own processor, whatever way spans take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from posthog.ai.otel._privacy import _redact_span

import sdk
from posthog_server import PostHogServer
from spanmap.otel import PostHogSpanProcessor, PostHogTraceExporter
from spanmap.otel.credentials import without_credentials

SECRET = "token-of-the-server"  # noqa: S105
MCP = {"type": "mcp", "server_url": "https://mcp.example.com", "headers": {"X-Key": SECRET}, "authorization": SECRET}
PROVIDER = {"type": "provider", "id": "openai.mcp", "args": {"serverUrl": "https://x", "headers": {"X-Key": SECRET}}}
FUNCTION = {"type": "function", "name": "f", "parameters": {"headers": {"type": "string"}}}

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "definitions": {"gen_ai.tool.definitions": json.dumps([MCP, FUNCTION, PROVIDER])},
    "one definition": {"gen_ai.tool.definitions": json.dumps(MCP)},
    "a list of definitions": {"ai.prompt.tools": [json.dumps(PROVIDER), json.dumps(FUNCTION)]},
    "numbered definitions": {
        "llm.tools.0.tool.json_schema": json.dumps(FUNCTION),
        "llm.tools.1.tool.json_schema": json.dumps(MCP),
    },
}
HARMLESS: dict[str, dict[str, Any]] = {
    "no attributes": {},
    "no mcp": {"gen_ai.tool.definitions": json.dumps([FUNCTION])},
    "no JSON": {"gen_ai.tool.definitions": "mcp"},
    "a number": {"gen_ai.tool.definitions": 5},
    "no list": {"gen_ai.tool.definitions": '"mcp"'},
    "no credentials": {"gen_ai.tool.definitions": json.dumps([{"type": "mcp", "headers": None, "id": []}, 5])},
}


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """With JSON read, since white space in it does not matter."""

    def read(value: Any) -> Any:
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return [read(item) for item in value] if isinstance(value, list | tuple) else value

    return {key: read(value) for key, value in (span.attributes or {}).items()}


@pytest.mark.parametrize("attributes", [*ATTRIBUTES.values(), *HARMLESS.values()], ids=[*ATTRIBUTES, *HARMLESS])
def test_what_is_masked_is_what_posthog_masks(attributes: dict[str, Any]) -> None:
    span = sdk.one_span("chat", gen_ai__operation__name="chat", **attributes)
    assert attributes_of(without_credentials(span)) == attributes_of(_redact_span(span, False))


@pytest.mark.parametrize("attributes", HARMLESS.values(), ids=HARMLESS)
def test_a_span_without_credentials_is_not_copied(attributes: dict[str, Any]) -> None:
    span = sdk.one_span(**attributes)
    assert without_credentials(span) is span


@pytest.mark.parametrize("destination", ["events", "otlp"])
@pytest.mark.parametrize("attributes", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_credentials_reach_nobody(attributes: dict[str, Any], destination: Any) -> None:
    options: dict[str, Any] = {"destination": destination}
    if destination == "events":
        options["client_options"] = {"compression": None}
    with PostHogServer() as server:
        span = sdk.one_span("chat", gen_ai__operation__name="chat", **attributes)
        processor = PostHogSpanProcessor("phc_test", server.url, **options)
        processor.on_end(span)
        processor.shutdown()
        exporter = PostHogTraceExporter("phc_test", server.url, **options)
        exporter.export([span])
        exporter.shutdown()
        assert len(server.accepted) == 2
        assert SECRET not in json.dumps([event.properties for event in server.accepted])
        assert not any(SECRET.encode() in request.body for request in server.requests)
