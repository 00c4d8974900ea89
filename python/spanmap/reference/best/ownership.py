"""One call, one owner: the others that describe it keep their totals under names that nobody adds up."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .classify import Kind
from .facts import Draft
from .trace import Trace

# What PostHog adds up. An event that does not own its call keeps these under another name.
SUMMED = (
    "$ai_input_tokens",
    "$ai_output_tokens",
    "$ai_cache_read_input_tokens",
    "$ai_cache_creation_input_tokens",
    "$ai_cache_creation_5m_input_tokens",
    "$ai_cache_creation_1h_input_tokens",
    "$ai_reasoning_tokens",
    "$ai_audio_input_tokens",
    "$ai_audio_output_tokens",
    "$ai_video_input_tokens",
    "$ai_image_output_tokens",
    "$ai_input_cost_usd",
    "$ai_output_cost_usd",
    "$ai_total_cost_usd",
)
USAGE_FLAGS = ("$ai_cache_reporting_exclusive", "$ai_cost_passthrough")


def richness(draft: Draft) -> int:
    p = draft.properties
    tokens = "$ai_input_tokens" in p or "$ai_output_tokens" in p
    return 4 * tokens + 2 * ("$ai_output_choices" in p) + ("$ai_input" in p)


def own_calls(drafts: list[Draft], traces: dict[str, Trace]) -> None:
    """One call, one owner: of several spans that describe it, the one that says most stays the generation."""
    calls = [d for d in drafts if d.kind in (Kind.GENERATION, Kind.EMBEDDING)]
    by_span = {id(d.span): d for d in drafts}
    # A call right below a call of the same kind, with nothing that we keep between them, is the same call.
    children: dict[int, list[Draft]] = defaultdict(list)
    for draft in calls:
        for ancestor in traces[draft.span.trace_id].ancestors(draft.span):
            above = by_span.get(id(ancestor))
            if above is not None:
                if above.kind is draft.kind:
                    children[id(above)].append(draft)
                break
    for draft in reversed(calls):
        below = [d for d in children.get(id(draft), ()) if d.kind is draft.kind]
        if len(below) == 1:
            join(draft, below[0])
        elif below:
            demote(draft)
    # The same response told by spans of different libraries, in whatever trace.
    owners: dict[tuple[Kind, str], Draft] = {}
    for draft in calls:
        response = draft.properties.get("$ai_completion_id")
        if draft.kind in (Kind.GENERATION, Kind.EMBEDDING) and isinstance(response, str):
            first = owners.get((draft.kind, response))
            if first is None:
                owners[(draft.kind, response)] = draft
            elif first.span.scope_name != draft.span.scope_name:
                owners[(first.kind, response)] = join(first, draft)


def raw_requests(drafts: list[Draft], traces: dict[str, Trace]) -> None:
    """LiteLLM's raw request repeats the span above it. Where that span is not in the request it is on its way, or was.

    Only a raw request without a parent, or below a span of another library, is the call itself.
    """
    for draft in drafts:
        span = draft.span
        if (
            draft.kind is Kind.GENERATION
            and span.scope_name == "litellm"
            and "gen_ai.operation.name" not in span.attributes
        ):
            if span.parent_id and span.parent_id not in traces[span.trace_id].by_id:
                demote(draft)


def join(first: Draft, second: Draft) -> Draft:
    """Makes the richer of two the owner (the first of equals) and gives it what only the other one knows."""
    owner, other = (second, first) if richness(second) > richness(first) else (first, second)
    usage = "$ai_input_tokens" in owner.properties or "$ai_output_tokens" in owner.properties
    for name, value in other.properties.items():
        if name in owner.properties or name in ("$ai_parent_id", "$ai_tool_name", "$ai_agent_name"):
            continue
        if (usage and name in ("$ai_input_tokens", "$ai_output_tokens", *USAGE_FLAGS)) or name.startswith(
            ("$ai_error", "$ai_is_error")
        ):
            continue
        if name in SUMMED and "_cost_" not in name and "$ai_cache_reporting_exclusive" in owner.properties:
            continue
        owner.properties[name] = value
    if "$ai_cache_reporting_exclusive" not in owner.properties and "$ai_cache_reporting_exclusive" in other.properties:
        owner.properties["$ai_cache_reporting_exclusive"] = other.properties["$ai_cache_reporting_exclusive"]
    if not has_user_text(owner.properties.get("$ai_input")) and has_user_text(other.properties.get("$ai_input")):
        owner.properties["$ai_input"] = other.properties["$ai_input"]
    owner.twins += [other.span, *other.twins]
    demote(other)
    return owner


def has_user_text(messages: Any) -> bool:
    return isinstance(messages, list) and any(isinstance(m, dict) and m.get("role") == "user" for m in messages)


def demote(draft: Draft) -> None:
    """No longer a call of its own: its messages become states."""
    draft.kind = Kind.SPAN
    p = draft.properties
    for source, target in (("$ai_input", "$ai_input_state"), ("$ai_output_choices", "$ai_output_state")):
        if source in p:
            p.setdefault(target, p.pop(source))
            p.pop(source, None)
