"""The captured bodies, whole or cut into one request a span, and what PostHog's own pipeline makes of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

if TYPE_CHECKING:
    from .facts import Scenario

Json = Any

CORPUS = Path(__file__).parent.parent / "corpus"


def bodies(scenario: Scenario) -> list[bytes]:
    return [(CORPUS / scenario.name / body).read_bytes() for body in scenario.bodies]


def one_request_per_span(body: bytes) -> Iterator[bytes]:
    """Each span as a request of its own, with its resource and scope: what a mapper without memory sees at worst."""
    if body.lstrip()[:1] == b"{":
        for resource in json.loads(body)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    alone = {**resource, "scopeSpans": [{**scope, "spans": [span]}]}
                    yield json.dumps({"resourceSpans": [alone]}).encode()
        return
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                scopes = ScopeSpans(scope=scope.scope, spans=[span], schema_url=scope.schema_url)
                cut = ResourceSpans(resource=resource.resource, scope_spans=[scopes], schema_url=resource.schema_url)
                yield ExportTraceServiceRequest(resource_spans=[cut]).SerializeToString()


def events_of_posthog() -> dict[str, list[Json]]:
    """By scenario, in the order of its bodies."""
    with gzip.open(CORPUS / "posthog-today.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: str(row["body"]))
    events: dict[str, list[Json]] = {}
    for row in rows:
        events.setdefault(row["body"].partition("/")[0], []).extend(row["events"])
    return events
