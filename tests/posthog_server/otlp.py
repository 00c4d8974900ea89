"""PostHog's own OTLP receiver: all spans of a request or none, and the caps for which the other paths are better."""

from __future__ import annotations

import json
from collections.abc import Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from posthog_server.capture import OTEL, Accepted, Limits, Refusal, Reply, check_token, decompress
from spanmap import reference


def handle_otlp(headers: Mapping[str, str], body: bytes, limits: Limits) -> Reply:
    try:
        return _handle(headers, body, limits)
    except Refusal as refusal:
        return Reply(refusal.status, json.dumps({"error": refusal.description}).encode())


def _handle(headers: Mapping[str, str], body: bytes, limits: Limits) -> Reply:
    if len(body) > limits.otel_body:
        raise Refusal(413, "too_big", "event too big")
    if not body:
        raise Refusal(400, "empty", "empty body")
    authorization = headers.get("authorization", "")
    if not authorization.startswith("Bearer "):
        raise Refusal(401, "no_token", "no token")
    check_token(authorization.removeprefix("Bearer "))
    encoding = headers.get("content-encoding", "").lower()
    if encoding not in {"", "gzip"}:
        raise Refusal(400, "encoding", f"unsupported content encoding {encoding}")
    plain = decompress(body, encoding, limits.otel_body)
    content_type = headers.get("content-type", "")
    if not content_type.startswith(("application/x-protobuf", "application/json")):
        raise Refusal(400, "content_type", "unsupported content type")
    try:
        events = reference.map_traces(plain, content_type=content_type.partition(";")[0], compat="posthog")
    except ValueError as error:
        raise Refusal(400, "parse", f"failed to parse request: {error}") from error
    if _count_spans(plain, content_type) > limits.otel_spans:
        raise Refusal(400, "spans", "too many spans")
    if len(events) > limits.otel_ai_spans:
        raise Refusal(400, "ai_spans", "too many AI spans")
    # The service makes a new uuid for each event of each request; tests want to know the span, so the mapper's stays.
    accepted = [
        Accepted(
            event["uuid"], event["event"], event["distinct_id"], event["timestamp"] or "", event["properties"], OTEL
        )
        for event in events
    ]
    return Reply(200, b"{}", {"content-type": "application/json"}, accepted)


def _count_spans(plain: bytes, content_type: str) -> int:
    if content_type.startswith("application/json"):
        resources = json.loads(plain).get("resourceSpans", [])
        return sum(len(scope.get("spans", [])) for item in resources for scope in item.get("scopeSpans", []))
    request = ExportTraceServiceRequest.FromString(plain)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
