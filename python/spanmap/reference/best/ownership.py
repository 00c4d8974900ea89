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
CALLS = (Kind.GENERATION, Kind.EMBEDDING)
USAGE_FLAGS = ("$ai_cache_reporting_exclusive", "$ai_cost_passthrough")


def own_calls(drafts: list[Draft], traces: dict[str, Trace]) -> None:
    """One call, one owner: of several spans that describe it, the one that says most stays the generation."""
    join_nested_calls(drafts, traces)
    join_same_responses(drafts)


def join_nested_calls(drafts: list[Draft], traces: dict[str, Trace]) -> None:
    """A call right below a call of the same kind, with nothing that is kept between them, is the same call.

    From the innermost call outwards; whoever owns a call stands for it further out.
    """
    by_span = {id(draft.span): draft for draft in reversed(drafts)}
    children: dict[int, list[Draft]] = defaultdict(list)
    outermost: list[Draft] = []
    for draft in drafts:
        if draft.kind not in CALLS:
            continue
        ancestors = traces[draft.span.trace_id].ancestors(draft.span)
        above = next((by_span[id(a)] for a in ancestors if id(a) in by_span), None)
        if above is not None and above.kind is draft.kind:
            children[id(above)].append(draft)
        else:
            outermost.append(draft)

    def owners_below(draft: Draft) -> list[Draft]:
        below = [owner for child in children[id(draft)] for owner in owners_below(child)]
        if len(below) == 1:
            return [join(draft, below[0])]
        if below:
            demote(draft)
        return below or [draft]

    for draft in outermost:
        owners_below(draft)


def join_same_responses(drafts: list[Draft]) -> None:
    """The same response told by spans of different libraries, in whatever trace."""
    owners: dict[tuple[Kind, str], Draft] = {}
    for draft in drafts:
        response = draft.properties.get("$ai_completion_id")
        if draft.kind not in CALLS or not isinstance(response, str) or not response:
            continue
        key = (draft.kind, response)
        first = owners.setdefault(key, draft)
        if first is not draft and first.span.scope_name != draft.span.scope_name:
            owners[key] = join(first, draft)


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
    owner, other = (second, first) if second.richness > first.richness else (first, second)
    usage = "$ai_input_tokens" in owner.properties or "$ai_output_tokens" in owner.properties
    convention = "$ai_cache_reporting_exclusive" in owner.properties
    for name, value in other.properties.items():
        if name in owner.properties or name in ("$ai_parent_id", "$ai_tool_name", "$ai_agent_name"):
            continue
        if (usage and name in ("$ai_input_tokens", "$ai_output_tokens", *USAGE_FLAGS)) or name.startswith(
            ("$ai_error", "$ai_is_error")
        ):
            continue
        if name in SUMMED and "_cost_" not in name and convention:
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
