"""What only the whole request can tell: who owns a call, whose it was, and how the tree holds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import uuid5

from ..identity import DISTINCT_ID_NAMESPACE, EVENT_NAMESPACE
from .classify import Kind, Span, is_kept
from .facts import Draft, draft_of
from .ownership import SUMMED, USAGE_FLAGS, own_calls, raw_requests
from .trace import CONVERSATION_KEYS, RESOURCE_SESSION_KEYS, RESOURCE_USER_KEYS, SESSION_KEYS, USER_KEYS, Trace, lookup
from .tree import hold_tree


def map_request(
    spans: list[Span],
    *,
    prefixes: tuple[str, ...] | None = None,
    added: tuple[str, ...] = (),
    drop_resource_prefixes: tuple[str, ...] = ("host.", "process.", "os.", "telemetry."),
    privacy_mode: bool = False,
) -> list[dict[str, Any]]:
    traces: dict[str, Trace] = defaultdict(Trace)
    drafts: list[Draft] = []
    for span in spans:
        traces[span.trace_id].add(span)
        if is_kept(span, prefixes, added) and span.name != "openrouter-connection-test":
            draft = draft_of(span, drop_resource_prefixes, privacy_mode)
            drafts.append(draft)
            traces[span.trace_id].drafts.append(draft)
    for trace in traces.values():
        trace.open_cycles()
    raw_requests(drafts, traces)
    own_calls(drafts, traces)
    roots = [event for trace in traces.values() for event in hold_tree(trace)]
    share_custom_data(traces)
    nobody = nobody_of(drafts)
    return number_uuids([finish(draft, traces, nobody) for draft in drafts + roots])


def share_custom_data(traces: dict[str, Trace]) -> None:
    """What the application says of a trace on one of its spans holds for the others, unless two spans disagree."""
    for trace in traces.values():
        known: dict[str, list[Any]] = defaultdict(list)
        for draft in trace.drafts:
            for name, value in draft.custom.items():
                if not any(same(value, other) for other in known[name]):
                    known[name].append(value)
        for draft in trace.drafts:
            for name, values in known.items():
                if len(values) == 1:
                    draft.custom.setdefault(name, values[0])


def same(one: Any, other: Any) -> bool:
    """Equal, where true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def nobody_of(drafts: list[Draft]) -> str:
    """One id for all events of a request that name no user, no session and no trace, made of the first of them."""
    for draft in drafts:
        span = draft.span
        if not span.trace_id.strip("0"):
            return str(uuid5(DISTINCT_ID_NAMESPACE, f"request:{span.span_id}:{span.start}:{span.name}"))
    return ""


def finish(draft: Draft, traces: dict[str, Trace], nobody: str) -> dict[str, Any]:
    span, p = draft.span, draft.properties
    if draft.kind is Kind.TOOL:
        event = "$ai_span"
    elif draft.kind is Kind.SPAN:
        event = "$ai_trace" if draft.root else "$ai_span"
    else:
        event = draft.kind.value
    if draft.kind in (Kind.TOOL, Kind.SPAN):
        for name in SUMMED:
            if name in p:
                p["reported_" + name.removeprefix("$ai_")] = p.pop(name)
        for name in USAGE_FLAGS:
            p.pop(name, None)
    if draft.parent_id:
        p["$ai_parent_id"] = draft.parent_id
    resource = span.resource

    def known(keys: tuple[str, ...]) -> str | None:
        found = (traces[s.trace_id].known(s, keys) for s in (span, *draft.twins))
        return next((value for value in found if value is not None), None)

    user = known(USER_KEYS) or lookup(resource, RESOURCE_USER_KEYS)
    session = known(SESSION_KEYS) or lookup(resource, RESOURCE_SESSION_KEYS) or known(CONVERSATION_KEYS)
    if session:
        p["$ai_session_id"] = session
    p["$ai_ingestion_source"] = "spanmap"
    p["$ai_lib"] = library(draft)
    if span.scope_version:
        p["$ai_lib_version"] = span.scope_version
    if "$geoip_disable" not in span.attributes:
        p["$geoip_disable"] = True
    if not user:
        p["$process_person_profile"] = False
        user = str(uuid5(DISTINCT_ID_NAMESPACE, f"session:{session}" if session else f"trace:{span.trace_id}"))
        if not session and not span.trace_id.strip("0"):
            user = nobody
    for extra in (draft.custom, draft.passed):
        for name, value in extra.items():
            p.setdefault(name, value)
    return {"event": event, "distinct_id": user, "start": span.start, "span": span, "properties": p}


def library(draft: Draft) -> str:
    name = {"vercel": "vercel-ai", "pydantic_ai": "pydantic-ai", "otel_genai": "genai"}.get(
        draft.dialects[0], draft.dialects[0]
    )
    return f"opentelemetry/{name}"


def number_uuids(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[str, int] = defaultdict(int)
    result = []
    for event in events:
        span: Span = event["span"]
        name = f"{span.trace_id}:{span.span_id}:{event['event']}"
        seen[name] += 1
        if seen[name] > 1:
            name += f":{seen[name]}"
        result.append(
            {
                "event": event["event"],
                "distinct_id": event["distinct_id"],
                "timestamp": event["start"],
                "uuid": str(uuid5(EVENT_NAMESPACE, name)),
                "properties": event["properties"],
            }
        )
    return result
