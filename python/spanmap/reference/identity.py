"""Who an event belongs to, and which event it is: functions of the payload, nothing random.

The order of the keys and the namespace of derived ids are PostHog's (capture service, `otel/identity.rs`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from .span import Attribute, Span, first_value

if TYPE_CHECKING:
    from .event import Event

DISTINCT_ID_NAMESPACE = UUID("392e81d5-3d13-4a6f-b541-bdbf6c865e56")
EVENT_NAMESPACE = UUID("6f0b6a3e-9d0c-5a52-8f0b-2f6f7a9d1c11")

USER_KEYS = (
    "ai.telemetry.metadata.posthog_distinct_id",
    "ai.settings.context.posthog_distinct_id",
    "posthog.distinct_id",
    "user.id",
)
RESOURCE_USER_KEYS = ("posthog.distinct_id", "user.id")
SESSION_KEYS = (
    "$ai_session_id",
    "ai.telemetry.metadata.$ai_session_id",
    "ai.settings.context.$ai_session_id",
    "eve.session.id",
    "anthropic.session.id",
    "gen_ai.conversation.id",
)


def distinct_ids(spans: list[Span]) -> list[str]:
    """One distinct id for each span of a request.

    PostHog gives all spans that tell nothing one random id. Here that id is made from the first of them, so
    that the same request always gives the same ids.
    """
    unknown: str | None = None
    ids = []
    for span in spans:
        found = named_user(span.attributes, span.resource.attributes) or _derived(span)
        if found is None:
            name = f"request:{span.span_id.hex()}:{span.start_unix_nano}:{span.name}"
            unknown = unknown or str(uuid5(DISTINCT_ID_NAMESPACE, name))
            found = unknown
        ids.append(found)
    return ids


def number_uuids(events: list[Event], spans: list[Span]) -> None:
    """Gives each event the uuid of its trace, span and name; repeats of the three are numbered from 2 on."""
    seen: Counter[str] = Counter()
    for event, span in zip(events, spans, strict=True):
        name = f"{span.trace_id.hex()}:{span.span_id.hex()}:{event.name}"
        seen[name] += 1
        event.uuid = str(uuid5(EVENT_NAMESPACE, name if seen[name] == 1 else f"{name}:{seen[name]}"))


def named_user(attributes: list[Attribute], resource: list[Attribute]) -> str | None:
    """Who the span or log record is about, or its resource."""
    named = [_text(attributes, key) for key in USER_KEYS]
    named += [_text(resource, key) for key in RESOURCE_USER_KEYS]
    return next(filter(None, named), None)


def _derived(span: Span) -> str | None:
    for key in SESSION_KEYS:
        session = _text(span.attributes, key) or _text(span.resource.attributes, key)
        if session:
            return str(uuid5(DISTINCT_ID_NAMESPACE, f"session:{session}"))
    if any(span.trace_id):
        return str(uuid5(DISTINCT_ID_NAMESPACE, f"trace:{span.trace_id.hex()}"))
    return None


def _text(attributes: list[Attribute], key: str) -> str:
    """The text of the FIRST attribute with this key; properties keep the last one instead."""
    value = first_value(attributes, key)
    return value if isinstance(value, str) else ""
