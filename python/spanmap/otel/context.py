"""Context: who an application says is at work, by PostHog's own library, and the context in which nothing is traced."""

from __future__ import annotations

import contextvars
import datetime
import decimal
import json
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value
from opentelemetry.sdk.trace import ReadableSpan

DISTINCT_ID = "posthog.distinct_id"
SESSION_ID = "$session_id"
# Where a span says itself whose it is. PostHog prefers the first of them, so adding it would override the others.
_IDENTITY = frozenset(
    {DISTINCT_ID, "user.id", "ai.telemetry.metadata.posthog_distinct_id", "ai.settings.context.posthog_distinct_id"}
)
# The second is the key of opentelemetry-instrumentation's `suppress_http_instrumentation`; it has no public name.
_SUPPRESSING = (_SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation", "suppress_http_instrumentation")


def suppressing_context() -> contextvars.Context:
    """A context in which instrumentations make no spans: those of our own requests would be exported in turn."""
    context = contextvars.Context()

    def suppress() -> None:
        for key in _SUPPRESSING:
            attach(set_value(key, True))

    context.run(suppress)
    return context


def posthog_context() -> dict[str, Any] | None:
    """What the active `posthog.new_context()` says: distinct id, session and tags, as attributes.

    None where there is none, or where the application does not use PostHog's library at all: it is not imported here.
    """
    contexts = sys.modules.get("posthog.contexts")
    if contexts is None:
        return None
    said = {DISTINCT_ID: contexts.get_context_distinct_id(), SESSION_ID: contexts.get_context_session_id()}
    attributes = {key: value for key, value in said.items() if value}
    attributes.update(contexts.get_tags())
    return attributes or None


def with_attributes(span: ReadableSpan, added: Mapping[str, Any]) -> ReadableSpan:
    """A copy of a span with more attributes. What the span says itself wins, also about whose it is."""
    own = span.attributes or {}
    has_identity = not _IDENTITY.isdisjoint(own)
    extra = {
        key: plain
        for key, value in added.items()
        if key not in own and not (has_identity and key == DISTINCT_ID) and (plain := _as_attribute(value)) is not None
    }
    return with_replaced(span, {**own, **extra}) if extra else span


def with_replaced(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    """A copy of a span with other attributes."""
    return ReadableSpan(
        span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _as_attribute(value: object) -> Any:
    """A tag as JSON has it; None where it says nothing or has no form there: then the tag is lost, and not the span."""
    if isinstance(value, str | bool | int):
        return None if value == "" else value
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_as_text))
    except (TypeError, ValueError, RuntimeError):
        return None


def _as_text(value: object) -> str:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID | decimal.Decimal):
        return str(value)
    raise TypeError


def is_privacy_asked_for(client: Any) -> bool:
    """Whether PostHog's library is told to leave content out: by the client that was passed, else by its settings."""
    if client is not None:
        return getattr(client, "privacy_mode", False) is True
    module = sys.modules.get("posthog")
    default_client = getattr(module, "default_client", None)
    return bool(getattr(module, "privacy_mode", False)) or getattr(default_client, "privacy_mode", False) is True
