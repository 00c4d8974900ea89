"""The later stage: one dialect, or the generic mapping alone, and what comes before and after each."""

from __future__ import annotations

import copy
from collections.abc import Callable

from ..event import Event, Properties
from . import anthropic, pydantic_ai, traceloop, vercel
from .generic import map_generic
from .javascript import Parse, is_truthy

Marker = Callable[[Properties], bool]
Dialect = Callable[[Event, Parse], None]

# The first dialect whose marker is there converts the event. Order matters.
DIALECTS: tuple[tuple[Marker, Dialect], ...] = (
    (pydantic_ai.is_marked, pydantic_ai.convert),
    (traceloop.is_marked, traceloop.convert),
    (vercel.is_marked, vercel.convert),
    (anthropic.is_marked, anthropic.convert),
)


def convert(event: Event, parse: Parse) -> None:
    """Turns the raw properties of an event into mapped ones, and a root span into a trace."""
    properties = event.properties
    debug = is_truthy(properties.get("posthog.ai.debug"))
    raw = copy.deepcopy(properties) if debug else {}
    convert_dialect = next((dialect for is_marked, dialect in DIALECTS if is_marked(properties)), map_generic)
    convert_dialect(event, parse)
    conversation = properties.get("gen_ai.conversation.id")
    if "$ai_session_id" not in properties and isinstance(conversation, str) and conversation:
        properties["$ai_session_id"] = conversation
    if debug:
        properties["$ai_debug"] = True
        properties["$ai_debug_data"] = raw
