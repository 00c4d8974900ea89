"""One span becomes a draft of one event: facts by the rules of its dialects, content, and what passes through."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import content, dialects, errors, harm, indexed, litellm, shapes
from .classify import Kind, Span, kind_of
from .classify import dialects as dialects_of
from .messages import finish_reason_of, is_empty
from .values import count, number, parse_container, parse_json, parse_literal, text, whatever

# Namespaces whose members are the application's own data, most telling first; each becomes a property of its own.
NAMESPACES = (
    "ai.telemetry.metadata.",
    "ai.settings.context.",
    "traceloop.association.properties.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "langsmith.metadata.",
    "trace.metadata.",
    "span.metadata.",
    "metadata.",
)
# Whole objects of such data, as JSON text.
OBJECTS = ("metadata", "langfuse.trace.metadata", "langfuse.observation.metadata", "langsmith.metadata")

# What frameworks write into those namespaces about themselves.
FRAMEWORK_DATA = re.compile(
    r"^(ls_|lc_|langgraph_|LANGSMITH_|LANGCHAIN_|ai\.response\.|"
    r"(checkpoint_ns|is_langchain_root|_type|usage_metadata|usage_object)\Z)"
)

# The first chunk of a stream, told by an event of the span.
FIRST_CHUNK = frozenset(
    (
        "First Token Stream Event",
        "ai.stream.firstChunk",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "mlflow.chunk.item.0",
        "gen_ai.stream.chunk",
    )
)

CONTENT_PROPERTIES = (
    "$ai_input",
    "$ai_output",
    "$ai_output_choices",
    "$ai_input_state",
    "$ai_output_state",
    "$ai_instructions",
    "$ai_debug_data",
)


@dataclass
class Draft:
    span: Span
    kind: Kind
    dialects: list[str]
    properties: dict[str, Any] = field(default_factory=dict)
    consumed: set[str] = field(default_factory=set)
    custom: dict[str, Any] = field(default_factory=dict)
    passed: dict[str, Any] = field(default_factory=dict)
    parent_id: str = ""
    root: bool = False
    # How much it says of a call; counted before privacy mode takes the content away.
    richness: int = 0
    # Spans that describe the same call and gave it up: what they know of user and session holds for the owner.
    twins: list[Span] = field(default_factory=list)

    def set(self, name: str, value: Any) -> None:
        """Sets a property that no earlier rule has set."""
        if value is not None and name not in self.properties:
            self.properties[name] = value


def richness(p: dict[str, Any]) -> int:
    """Tokens weigh more than an answer, and an answer more than a question."""
    tokens = "$ai_input_tokens" in p or "$ai_output_tokens" in p
    return 4 * tokens + 2 * ("$ai_output_choices" in p) + ("$ai_input" in p)


def member(value: Any, path: str) -> Any:
    """A member of JSON text or of a structured value, by a path such as `choices.0.finish_reason`."""
    found: Any = parse_literal(value)
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit():
            found = found[int(name)] if int(name) < len(found) else None
        else:
            return None
    return found


def apply(draft: Draft) -> None:
    """The first source of the first rule that gives a property decides it; all sources named are consumed."""
    a = draft.span.attributes
    for dialect in draft.dialects:
        for rule in dialects.TABLES[dialect]:
            for source in rule.sources:
                key, mark, path = source.partition("#")
                if key not in a:
                    continue
                draft.consumed.add(key)
                if rule.to in draft.properties:
                    continue
                draft.set(rule.to, rule.shape(member(a[key], path) if mark else a[key]))


# Facts of the wire, or of identity, that no attribute may claim.
NOT_EXPLICIT = frozenset(
    "$ai_trace_id $ai_span_id $ai_parent_id $ai_ingestion_source $ai_lib $ai_lib_version $ai_latency $ai_session_id "
    "$ai_is_error".split()
)


def explicit(draft: Draft) -> None:
    """An attribute that already has a property's name says what that property is."""
    for key, value in draft.span.attributes.items():
        if not key.startswith("$ai_"):
            continue
        draft.consumed.add(key)
        if key in NOT_EXPLICIT or key.startswith("$ai_gateway"):
            continue
        is_number = key.endswith("_cost_usd") or key == "$ai_time_to_first_token"
        shape = count if key.endswith("_tokens") else number if is_number else whatever
        draft.set(key, shape(value))


def model_parameters(draft: Draft) -> None:
    a = draft.span.attributes
    found: dict[str, Any] = {}
    for name, sources in dialects.PARAMETERS:
        for key in sources.split():
            if key not in a:
                continue
            draft.consumed.add(key)
            if name not in found and not is_empty(a[key]):
                found[name] = a[key]
    given = draft.properties.get("$ai_model_parameters")
    if isinstance(given, dict):
        found = {**given, **{k: v for k, v in found.items() if k not in given}}
    if found:
        draft.properties["$ai_model_parameters"] = found


def cache_convention(draft: Draft) -> None:
    """States whether input tokens leave out the cached ones: a fact of the library, not of the key."""
    p = draft.properties
    read, written = p.get("$ai_cache_read_input_tokens"), p.get("$ai_cache_creation_input_tokens")
    if read is None and written is None:
        return
    explicit = draft.span.attributes.get("$ai_cache_reporting_exclusive")
    if isinstance(explicit, bool):
        p["$ai_cache_reporting_exclusive"] = explicit
        return
    exclusive = is_exclusive(draft)
    tokens = p.get("$ai_input_tokens")
    if tokens is not None and tokens < (read or 0) + (written or 0):
        # More cached tokens than input tokens: the input cannot include them, and no bucket may go negative.
        exclusive = True
    p["$ai_cache_reporting_exclusive"] = exclusive


def is_exclusive(draft: Draft) -> bool:
    """The table of design: which library leaves cached tokens out of its input tokens, for which provider."""
    p, a = draft.properties, draft.span.attributes
    model = p.get("$ai_model")
    anthropic = p.get("$ai_provider") == "anthropic" or (isinstance(model, str) and "claude" in model.lower())
    if draft.span.scope_name.startswith("openlit"):
        return anthropic
    if "vercel" in draft.dialects and draft.span.scope_name != "gen_ai":
        details = any(k.startswith("ai.usage.inputTokenDetails.") for k in a)
        return anthropic and not details and "openinference.span.kind" not in a
    if "langfuse" in draft.dialects:
        usage = parse_container(a.get("langfuse.observation.usage_details"))
        return isinstance(usage, dict) and ("input" in usage or (anthropic and "prompt_tokens" not in usage))
    return False


def time_to_first_token(draft: Draft) -> None:
    """Seconds to the first chunk of a stream: by attribute, else by the time of the event that marks it."""
    span, p = draft.span, draft.properties
    a = span.attributes
    found = p.pop("$ai_time_to_first_token", None)
    if found is not None and "gen_ai.server.time_to_first_token" in a:
        if span.scope_name.startswith("strands"):
            found = found / 1000
        if a.get("gen_ai.request.stream") is False:
            found = None
    if found is None and text(a.get("langfuse.observation.completion_start_time")):
        found = seconds_after(span.start, a["langfuse.observation.completion_start_time"])
    if found is None:
        time = next((t for name, t, _ in span.events if name in FIRST_CHUNK), 0)
        found = (time - span.start) / 1e9 if time > span.start > 0 else None
    if found is not None and found > 0 and span.end > span.start:
        p["$ai_time_to_first_token"] = min(found, (span.end - span.start) / 1e9)


_ISO = re.compile(r'^"?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)"?\Z', re.ASCII)


def seconds_after(start: int, moment: str) -> float | None:
    """Seconds from a span's start to an ISO 8601 time, which may wear JSON quotes."""
    match = _ISO.match(moment)
    if match is None:
        return None
    try:
        whole = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        nanos = int(whole.timestamp()) * 10**9 + int((match[2] or "").ljust(9, "0"))
    except (ValueError, OverflowError):
        return None
    return (nanos - start) / 1e9 if nanos > start > 0 else None


def span_name(draft: Draft) -> str | None:
    """The tool's name for a tool run, the agent's for an agent run, a Logfire template's message, else the span's."""
    a, p = draft.span.attributes, draft.properties
    explicit = text(a.get("$ai_span_name"))
    if explicit:
        return explicit
    if draft.kind is Kind.TOOL and text(p.get("$ai_tool_name")):
        return str(p["$ai_tool_name"])
    if draft.span.name in ("agent run", "running tool") and text(p.get("$ai_agent_name")):
        return str(p["$ai_agent_name"])
    if "{" in draft.span.name and text(a.get("logfire.msg")):
        return str(a["logfire.msg"])
    entity = text(a.get("traceloop.entity.name"))
    if entity and draft.kind is not Kind.GENERATION:
        return entity
    return draft.span.name or None


def said(draft: Draft) -> None:
    """The content: messages of a call, texts of an embedding, input and output of all else."""
    span, p = draft.span, draft.properties
    if draft.kind is Kind.GENERATION:
        p.pop("$ai_input_state", None)
        p.pop("$ai_output_state", None)
        draft.set("$ai_input", content.input_messages(span))
        draft.set("$ai_output_choices", content.output_messages(span))
        draft.set("$ai_stop_reason", finish_reason_of(p.get("$ai_output_choices")))
        draft.set(
            "$ai_tools",
            indexed.traceloop_tools(span.attributes)
            or indexed.openinference_tools(span.attributes)
            or request_tools(span.attributes),
        )
    elif draft.kind is Kind.EMBEDDING:
        p.pop("$ai_input_state", None)
        p.pop("$ai_output_state", None)
        draft.set("$ai_input", content.embedding_input(span))
    elif draft.kind is Kind.TOOL:
        draft.set("$ai_input_state", content.tool_input(span))
        draft.set("$ai_output_state", content.tool_output(span))
    else:
        draft.set("$ai_input_state", content.span_input(span))
        draft.set("$ai_output_state", content.span_output(span))


def request_tools(a: dict[str, Any]) -> Any:
    """Tools that only the recorded request body names."""
    for key in ("mlflow.spanInputs", "input.value", "langfuse.observation.input", "gen_ai.prompt"):
        found = shapes.tools(member(a.get(key), "tools"))
        if found is not None:
            return found
    return None


def pass_through(draft: Draft, drop_resource_prefixes: tuple[str, ...]) -> None:
    """Everything that no rule consumed keeps its name; the application's own data loses its namespace."""
    for key, value in draft.span.resource.items():
        if not key.startswith(drop_resource_prefixes) and not harm.is_secret(key) and not is_empty(value):
            draft.passed[key] = harm.clean(value)
    for namespace in NAMESPACES:
        for key, value in draft.span.attributes.items():
            if key.startswith(namespace) and len(key) > len(namespace):
                name = key[len(namespace) :]
                draft.consumed.add(key)
                if not is_empty(value) and not FRAMEWORK_DATA.match(name) and not harm.is_secret(key):
                    draft.custom.setdefault(name, harm.clean(unquoted(value)))
    for key in OBJECTS:
        found = parse_container(draft.span.attributes.get(key))
        if isinstance(found, dict):
            draft.consumed.add(key)
            for name, value in found.items():
                if not is_empty(value) and not FRAMEWORK_DATA.match(name) and not harm.is_secret(name):
                    draft.custom.setdefault(name, harm.clean(value))
    for key, value in draft.span.attributes.items():
        if key in draft.consumed or is_empty(value) or value in ("[]", "{}", "null", "None"):
            continue
        if (
            key in harm.NOISE_KEYS
            or key.startswith(harm.NOISE_PREFIXES)
            or harm.is_secret(key)
            or harm.CONTENT.match(key)
        ):
            continue
        draft.passed[key] = harm.clean(value)


def unquoted(value: Any) -> Any:
    """Langfuse 5 writes metadata as JSON text: `"pro"` is pro, `{"x":1}` an object."""
    if isinstance(value, str) and value[:1] == '"':
        inner = parse_json(value)
        return inner if isinstance(inner, str) and inner else value
    return whatever(value)


def draft_of(span: Span, drop_resource_prefixes: tuple[str, ...], privacy_mode: bool = False) -> Draft:
    draft = Draft(span, kind_of(span), dialects_of(span))
    explicit(draft)
    apply(draft)
    p = draft.properties
    if span.scope_name == "litellm":
        litellm.raw_request(draft)
    model_parameters(draft)
    if draft.kind in (Kind.GENERATION, Kind.EMBEDDING):
        if "$ai_model" not in p and not span.attributes and " " in span.name:
            p["$ai_model"] = span.name.partition(" ")[2]
        draft.set("$ai_provider", scope_provider(span))
        draft.set("$ai_provider", shapes.provider_of_model(p.get("$ai_model")))
        cache_convention(draft)
        time_to_first_token(draft)
        costs(draft)
    else:
        p.pop("$ai_time_to_first_token", None)
    said(draft)
    errors.apply(span, p)
    p["$ai_trace_id"] = span.trace_id
    p["$ai_span_id"] = span.span_id
    draft.parent_id = span.parent_id
    if span.end > span.start:
        p["$ai_latency"] = (span.end - span.start) / 1e9
    name = span_name(draft)
    if name:
        p["$ai_span_name"] = name
    if draft.kind is not Kind.TOOL:
        p.pop("$ai_tool_name", None)
    pass_through(draft, drop_resource_prefixes)
    draft.richness = richness(p)
    if privacy_mode:
        for key in CONTENT_PROPERTIES:
            p.pop(key, None)
    for key, value in p.items():
        p[key] = harm.scrub(value)
    return draft


def scope_provider(span: Span) -> str | None:
    """Instrumentations of one provider's client are named after it: `openlit.instrumentation.anthropic`."""
    tail = span.scope_name.rpartition(".")[2]
    return tail if tail in ("openai", "anthropic", "cohere", "groq") else None


def costs(draft: Draft) -> None:
    """Keeps what the source reports; a total alone is marked, so that PostHog does not estimate over it.

    Openlit says 0 when its price list does not know the model: that is no cost.
    """
    p = draft.properties
    parts = ("$ai_input_cost_usd", "$ai_output_cost_usd")
    if draft.span.scope_name.startswith("openlit") and p.get("$ai_total_cost_usd") == 0:
        del p["$ai_total_cost_usd"]
    if all(k in p for k in parts):
        total = p[parts[0]] + p[parts[1]]
        if math.isfinite(total):
            p.setdefault("$ai_total_cost_usd", total)
    if "openrouter" in draft.dialects and "$ai_total_cost_usd" in p:
        p["$ai_cost_passthrough"] = True
    elif "$ai_total_cost_usd" in p and not all(k in p for k in parts):
        p["$ai_cost_passthrough"] = True
