"""Facts about a whole scenario: how many calls, their tokens together, tool runs, the tree, and what must not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import reading

if TYPE_CHECKING:
    from .facts import Call, Scenario, ToolRun
    from .matching import Event, Pairs

Json = Any
Told = Iterator[tuple[str, str | None]]

NO_EVENTS = "there are no events"
# The status codes of HTTP that say that something failed.
FIRST_ERROR_STATUS = 400


@dataclass(frozen=True)
class Scene:
    """What happened, what the events say, and which event tells of which call."""

    facts: Scenario
    events: list[Event]
    pairs: Pairs

    def named(self, *names: str) -> list[Event]:
        return [event for event in self.events if event.name in names]


def call_counts(scene: Scene) -> Told:
    for kind in ("generation", "embedding"):
        expected = sum(call.kind == kind for call in scene.facts.calls)
        found = len(scene.named(f"$ai_{kind}"))
        if expected or found:
            yield f"calls_{kind}", None if found == expected else f"{found} instead of {expected}"


def token_sums(scene: Scene) -> Told:
    """What PostHog adds up: all generations and embeddings, but for those of calls whose usage nobody knows."""
    yield from _sum(scene, "input_tokens", lambda call: call.input_tokens, lambda event: event.input_tokens)
    yield from _sum(
        scene, "output_tokens", lambda call: call.output_tokens, lambda event: event.number("$ai_output_tokens")
    )


def _sum(
    scene: Scene,
    fact: str,
    accepted: Callable[[Call], tuple[int, ...]],
    found: Callable[[Event], float | None],
) -> Told:
    known = [call for call in scene.facts.calls if fact in call.told]
    unknown = {event for call, event in scene.pairs.items() if fact not in call.told}
    counted = [event for event in scene.named("$ai_generation", "$ai_embedding") if event not in unknown]
    if known:
        total = sum(found(event) or 0 for event in counted)
        least, most = (sum(pick(accepted(call)) for call in known) for pick in (min, max))
        is_right = least <= total <= most
        yield f"{fact}_sum", None if is_right else f"{total} instead of {least}" + f" to {most}" * (most > least)


def no_false_error(scene: Scene) -> Told:
    if not scene.facts.calls or scene.facts.something_failed:
        return
    false = [
        event
        for event in scene.events
        if event.is_error or (event.number("$ai_http_status") or 0) >= FIRST_ERROR_STATUS
    ]
    yield "no_false_error", NO_EVENTS if not scene.events else f"{len(false)} events say so" if false else None


def tool_runs(scene: Scene) -> Told:
    """Each run of a tool is one `$ai_span`, named after the tool, with its arguments and its result."""
    free = scene.named("$ai_span")
    for tool in scene.facts.tools:
        named = [event for event in free if _is_named(event, tool.name)]
        own = [event for event in named if event.properties.get("$ai_span_id") == tool.span]
        event = next(iter(own + named), None)
        if event is not None:
            free.remove(event)
        yield from _tool_run(tool, event)


def _is_named(event: Event, tool: str) -> bool:
    homes = ("$ai_span_name", "$ai_tool_name", "gen_ai.tool.name", "tool.name")
    return any(tool in str(event.properties.get(home) or "") for home in homes)


def _tool_run(tool: ToolRun, event: Event | None) -> Told:
    given, result, error = (
        list(reading.texts(event.properties.get(name))) if event else []
        for name in ("$ai_input_state", "$ai_output_state", "$ai_error")
    )
    if "name" in tool.told:
        yield "tool_span", None if event else f"no span of {tool.name}"
    if "input" in tool.told:
        is_there = event and all(reading.is_said(str(value), given) for value in reading.scalars(tool.arguments))
        yield "tool_input", None if is_there else f"{tool.arguments} of {tool.name} is not there"
    if "output" in tool.told:
        is_there = event and reading.is_said(tool.result, result)
        yield "tool_output", None if is_there else f"{tool.result!r} of {tool.name} is not there"
    if "error" in tool.told:
        is_there = event and event.is_error and any((tool.failure_text or "") in text for text in [*error, *result, ""])
        yield "tool_error", None if is_there else f"{tool.failure_text!r} of {tool.name} is not there"


def containers(scene: Scene) -> Told:
    homes = ("$ai_span_name", "$ai_trace_name", "$ai_agent_name")
    names = [str(event.properties.get(home) or "") for event in scene.events for home in homes]
    for container in scene.facts.containers:
        is_there = any(spelling in name for spelling in container.split("|") for name in names)
        yield "containers", None if is_there else f"nothing is named {container}"


def privacy(scene: Scene) -> Told:
    if scene.facts.is_private:
        said = [text for event in scene.events for text in reading.texts(event.properties)]
        leaked = [hidden for hidden in scene.facts.hidden_texts if any(hidden in text for text in said)]
        yield "privacy", NO_EVENTS if not scene.events else f"{leaked[0]!r} is told" if leaked else None


def tree(scene: Scene) -> Told:
    """Every event has a trace, every parent exists in it or is the trace itself, and every trace has one root."""
    if not scene.events:
        if scene.facts.calls:
            yield from ((name, NO_EVENTS) for name in ("tree_trace_id", "tree_parents", "tree_one_root"))
        return
    traces: dict[Json, list[Event]] = defaultdict(list)
    for event in scene.events:
        traces[event.properties.get("$ai_trace_id")].append(event)
    yield "tree_trace_id", None if all(traces) else "an event has no trace"
    lost = [event for trace, events in traces.items() for event in _with_lost_parent(trace, events)]
    yield "tree_parents", f"{len(lost)} parents do not exist" if lost else None
    roots = {trace: _count_roots(trace, events) for trace, events in traces.items()}
    wrong = {trace: count for trace, count in roots.items() if count != 1}
    yield "tree_one_root", f"roots by trace: {wrong}" if wrong else None


def _with_lost_parent(trace: Json, events: list[Event]) -> list[Event]:
    known = {None, "", trace, *(event.properties.get("$ai_span_id") for event in events)}
    return [event for event in events if event.properties.get("$ai_parent_id") not in known]


def _count_roots(trace: Json, events: list[Event]) -> int:
    """`$ai_trace` events and events without parent; where there is no `$ai_trace`, also those below the trace id."""
    tops = [event for event in events if event.name == "$ai_trace"]
    parentless = [event for event in events if event not in tops and not event.properties.get("$ai_parent_id")]
    below_trace = [event for event in events if trace and event.properties.get("$ai_parent_id") == trace]
    return len(tops) + len(parentless) + (0 if tops else len(below_trace))


def no_blobs(scene: Scene) -> Told:
    if scene.facts.has_blob:
        kept = [name for event in scene.events for name, value in event.properties.items() if reading.holds_blob(value)]
        yield "no_blobs", NO_EVENTS if not scene.events else f"{kept} hold one" if kept else None


SCENE_FAMILIES: tuple[Callable[[Scene], Told], ...] = (
    call_counts,
    token_sums,
    no_false_error,
    tool_runs,
    containers,
    privacy,
    tree,
    no_blobs,
)
