"""The spans of one trace in a request, and what is known of whose they were."""

from __future__ import annotations

from typing import Any

from .classify import Span
from .facts import Draft
from .values import parse_container, quoted_text

USER_KEYS = (
    "ai.telemetry.metadata.posthog_distinct_id",
    "ai.settings.context.posthog_distinct_id",
    "metadata.posthog_distinct_id",
    "traceloop.association.properties.posthog_distinct_id",
    "trace.metadata.posthog_distinct_id",
    "langfuse.trace.metadata.posthog_distinct_id",
    "langsmith.metadata.posthog_distinct_id",
    "metadata#posthog_distinct_id",
    "posthog.distinct_id",
    "langfuse.user.id",
    "user.id",
    "langsmith.metadata.user_id",
    "traceloop.association.properties.user_id",
    "ai.telemetry.metadata.userId",
    "ai.telemetry.metadata.user_id",
    "ai.settings.context.userId",
    "metadata.userId",
    "langfuse.trace.metadata.langfuse_user_id",
    "langfuse.observation.metadata.langfuse_user_id",
    "metadata#user_id",
    "langwatch.user.id",
    "langwatch.metadata#user_id",
    "enduser.id",
)
SESSION_KEYS = (
    "$ai_session_id",
    "ai.telemetry.metadata.$ai_session_id",
    "ai.settings.context.$ai_session_id",
    "metadata.$ai_session_id",
    "traceloop.association.properties.$ai_session_id",
    "trace.metadata.$ai_session_id",
    "langfuse.session.id",
    "session.id",
    "eve.session.id",
    "anthropic.session.id",
    "traceloop.association.properties.session_id",
    "langsmith.metadata.session_id",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.session_id",
    "ai.settings.context.sessionId",
    "metadata.sessionId",
    "metadata.session_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "langfuse.observation.metadata.langfuse_session_id",
    "metadata#session_id",
    "langwatch.thread.id",
    "langwatch.metadata#thread_id",
)
# A thread or conversation is a session only where nothing in the trace names one: some libraries invent one a run.
CONVERSATION_KEYS = (
    "gen_ai.conversation.id",
    "langsmith.metadata.thread_id",
    "traceloop.association.properties.thread_id",
    "metadata#thread_id",
    "metadata#conversation_id",
    "gcp.vertex.agent.session_id",
)
RESOURCE_USER_KEYS = ("posthog.distinct_id", "user.id")
RESOURCE_SESSION_KEYS = ("$ai_session_id", "session.id")


def lookup(attributes: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """The first non-empty text; numbers count as their text."""
    for source in keys:
        key, mark, name = source.partition("#")
        value = attributes.get(key)
        if mark:
            found = parse_container(value) if value is not None else None
            value = found.get(name) if isinstance(found, dict) else None
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            return str(value)
        found_text = quoted_text(value)
        if found_text is not None:
            return found_text
    return None


class Trace:
    """The spans of one trace in this request, kept or not."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.by_id: dict[str, Span] = {}
        self.drafts: list[Draft] = []

    def add(self, span: Span) -> None:
        self.spans.append(span)
        if span.span_id:
            self.by_id.setdefault(span.span_id, span)

    def ancestors(self, span: Span) -> list[Span]:
        """From the parent upwards; stops at a missing parent and at a cycle."""
        found: list[Span] = []
        seen = {span.span_id}
        parent = self.by_id.get(span.parent_id) if span.parent_id else None
        while parent is not None and parent.span_id not in seen:
            found.append(parent)
            seen.add(parent.span_id)
            parent = self.by_id.get(parent.parent_id) if parent.parent_id else None
        return found

    def open_cycles(self) -> None:
        """Takes the parent from the first span of each cycle: it is the top of what hangs together.

        Whoever names itself, or another of its own id, has no parent either.
        """
        for span in self.spans:
            if span.parent_id == span.span_id:
                span.parent_id = ""
        for span in self.by_id.values():
            above = self.ancestors(span)
            if above and above[-1].parent_id == span.span_id:
                span.parent_id = ""

    def known(self, span: Span, keys: tuple[str, ...]) -> str | None:
        """The value on the span, else on its nearest ancestor, else the only one that the trace knows."""
        for candidate in (span, *self.ancestors(span)):
            value = lookup(candidate.attributes, keys)
            if value is not None:
                return value
        values = {lookup(s.attributes, keys) for s in self.spans} - {None}
        return values.pop() if len(values) == 1 else None
