"""What an evaluation says: the part that PostHog's reading and the best one share.

The attributes are those of <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/>, the event
`gen_ai.evaluation.result`; names and ids of the properties are PostHog's (its capture service).
"""

from __future__ import annotations

import math
from hashlib import sha1
from uuid import NAMESPACE_URL, UUID, uuid5

from . import posthog
from .event import Event, Properties, timestamp_of
from .identity import EVENT_NAMESPACE
from .posthog import node
from .posthog.javascript import Parse

EVALUATION = "$ai_evaluation"
RESULT_EVENT = "gen_ai.evaluation.result"

NAME = "gen_ai.evaluation.name"
LABEL = "gen_ai.evaluation.score.label"
VALUE = "gen_ai.evaluation.score.value"
EXPLANATION = "gen_ai.evaluation.explanation"

# What people or judges wrote about the content.
CONTENT = ("$ai_evaluation_reasoning", "$otel_log_body")
# Unicode's White_Space, which Rust trims; Python's strip() would also take four separators from ASCII.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def properties_of(
    resource: Properties, attributes: Properties, *, trace_id: bytes, span_id: bytes, run_id: str
) -> Properties | None:
    """The properties before the worker's mapping; `None` without a name, and without a label or a number.

    Args:
        resource: The resource's attributes, those left out that do not become properties.
        attributes: The attributes of the record or span event.
        trace_id: Of the evaluated span; only one of 16 bytes says which trace it is.
        span_id: Of the evaluated span; only one of 8 bytes says which span it is.
        run_id: What tells this evaluation from all others.
    """
    name = _trimmed(attributes.get(NAME))
    label, value = _trimmed(attributes.get(LABEL)), attributes.get(VALUE)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not name or not (label or is_number):
        return None
    reasoning = _trimmed(attributes.get(EXPLANATION))

    properties = resource | attributes
    for key in (LABEL, VALUE, EXPLANATION, "$otel_start_time_unix_nano", "$otel_end_time_unix_nano"):
        properties.pop(key, None)
    geoip_disable = properties.pop("posthog.geoip_disable", True)
    properties.setdefault("$geoip_disable", geoip_disable)
    properties |= {
        "$ai_evaluation_id": str(uuid5(NAMESPACE_URL, f"otel:{name}")),
        "$ai_evaluation_run_id": run_id,
        "$ai_evaluation_name": name,
        "$ai_evaluation_runtime": "otel",
        "$ai_evaluation_type": "imported",
        "$ai_ingestion_source": "otel",
        "$ai_evaluation_result": label or value,
        "$ai_evaluation_result_type": "label" if label else "number",
    }
    properties.pop("$ai_trace_id", None)
    if len(trace_id) == 16:
        properties["$ai_trace_id"] = trace_id.hex()
    if len(span_id) == 8:
        properties["$ai_target_span_id"] = span_id.hex()
    if reasoning:
        properties["$ai_evaluation_reasoning"] = reasoning
    return {name: value for name, value in sorted(properties.items()) if not name.startswith("$ai_gateway")}


def event_of(properties: Properties, distinct_id: str, unix_nano: int, parse: Parse, *, privacy_mode: bool) -> Event:
    """The event after the worker's mapping, still without its uuid."""
    event = Event(EVALUATION, distinct_id, timestamp_of(unix_nano), properties=properties)
    node.convert(event, parse)
    if privacy_mode:
        for name in (*posthog.CONTENT, *CONTENT):
            event.properties.pop(name, None)
    return event


def run_id_of(encoded: bytes) -> str:
    """The UUIDv5 of bytes in the URL namespace; `uuid.uuid5` takes only text before Python 3.12."""
    digest = sha1(NAMESPACE_URL.bytes + encoded, usedforsecurity=False).digest()
    return str(UUID(bytes=digest[:16], version=5))


class Uuids:
    """Gives each evaluation the uuid of its trace, span and run; repeats are numbered from 2 on."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def next(self, trace_id: bytes, span_id: bytes, run_id: str) -> str:
        """The uuid of the next event in the request."""
        name = f"{trace_id.hex()}:{span_id.hex()}:{EVALUATION}:{run_id}"
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return str(uuid5(EVENT_NAMESPACE, name if count == 1 else f"{name}:{count}"))


def _trimmed(value: object) -> str:
    return value.strip(WHITE_SPACE) if isinstance(value, str) else ""
