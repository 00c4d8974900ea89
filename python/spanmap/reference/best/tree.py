"""How the tree of events holds when spans between them were filtered out, or are elsewhere."""

from __future__ import annotations

from collections import defaultdict

from .classify import Kind, Span
from .facts import Draft
from .trace import Trace


def hold_tree(trace: Trace) -> list[Draft]:
    """Points every event at an event of its trace; gives a trace one root. Returns roots that had to be made."""
    kept = {d.span.span_id for d in trace.drafts if d.span.span_id}
    orphans: list[Draft] = []
    tops: list[Draft] = []
    lifted: dict[str, list[Draft]] = defaultdict(list)
    for draft in trace.drafts:
        span = draft.span
        if not span.parent_id:
            draft.parent_id = ""
            tops.append(draft)
            continue
        above = trace.ancestors(span)
        nearest = next((a for a in above if a.span_id in kept), None)
        if nearest is not None:
            draft.parent_id = nearest.span_id
        elif above and not above[-1].parent_id:
            draft.parent_id = ""
            lifted[above[-1].span_id].append(draft)
        else:
            draft.parent_id = above[-1].parent_id if above else span.parent_id
            orphans.append(draft)
    made: list[Draft] = []
    for top_id, below in lifted.items():
        if len(below) + len(tops) + len(orphans) == 1:
            tops += below
        else:
            made.append(made_root(trace, top_id, trace.by_id[top_id], below))
            for draft in below:
                draft.parent_id = top_id
    tops += made
    if not orphans and len(tops) == 1:
        tops[0].root = True
        return made
    return made + root_above(trace, tops, orphans)


def root_above(trace: Trace, tops: list[Draft], orphans: list[Draft]) -> list[Draft]:
    """Several tops, or spans whose parent is in no request we see: they hang below one root."""
    trace_id = trace.drafts[0].span.trace_id if trace.drafts else ""
    parents = {d.parent_id for d in orphans}
    if tops:
        tops[0].root = True
        for draft in tops[1:]:
            draft.root = False
            draft.parent_id = tops[0].span.span_id
        for draft in orphans:
            remote(draft, tops[0].span.span_id)
        return []
    if len(orphans) == 1:
        remote(orphans[0], trace_id)
        return []
    if not orphans:
        return []
    shared = parents.pop() if len(parents) == 1 else trace_id
    for draft in orphans:
        if draft.parent_id != shared:
            remote(draft, shared)
    return [made_root(trace, shared, None, orphans)]


def remote(draft: Draft, parent_id: str) -> None:
    """The parent is elsewhere, or late: the trace stands in for it, and its id is kept."""
    draft.passed["otel_parent_span_id"] = draft.parent_id
    draft.parent_id = parent_id


def made_root(trace: Trace, span_id: str, span: Span | None, below: list[Draft]) -> Draft:
    """A trace event for a root that was filtered out, or never sent."""
    first = min(below, key=lambda d: d.span.start).span
    root = Span(
        trace_id=first.trace_id,
        span_id=span_id,
        parent_id="",
        name=span.name if span else "",
        start=span.start if span else first.start,
        end=span.end if span else 0,
        status_code=0,
        status_message="",
        attributes={},
        events=[],
        scope_name="",
        scope_version="",
        resource=first.resource,
    )
    draft = Draft(root, Kind.SPAN, ["otel_genai"])
    draft.properties = {"$ai_trace_id": root.trace_id, "$ai_span_id": root.span_id}
    if root.name:
        draft.properties["$ai_span_name"] = root.name
    if root.end > root.start:
        draft.properties["$ai_latency"] = (root.end - root.start) / 1e9
    draft.root = True
    return draft
