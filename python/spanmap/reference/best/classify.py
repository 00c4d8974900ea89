"""Which dialects a span speaks, and what it is: a generation, an embedding, a tool run, or another span."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .values import count, quoted_text, text


@dataclass
class Span:
    """A span as the wire gave it, attributes merged (the last value wins, those without a value are gone)."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    status_code: int
    status_message: str
    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any]]]
    scope_name: str
    scope_version: str
    resource: dict[str, Any] = field(default_factory=dict)
    # Every attribute key of the wire, also those whose value is missing: the filter looks at keys.
    keys: tuple[str, ...] = ()


class Kind(Enum):
    GENERATION = "$ai_generation"
    EMBEDDING = "$ai_embedding"
    TOOL = "tool"
    SPAN = "$ai_span"


# A span is kept when its name or one of its attribute keys starts with one of these ...
PREFIXES = (
    "gen_ai.",
    "llm.",
    "ai.",
    "traceloop.",
    "eve.",
    "pydantic_ai.",
    "openinference.",
    "langfuse.",
    "mlflow.",
    "langsmith.",
    "langwatch.",
    "litellm.",
    "openlit.",
    "gcp.vertex.agent.",
    "anthropic.",
    "embedding.",
    "trace.metadata.openrouter.",
)
# ... or when its instrumentation scope is an AI library.
SCOPES = re.compile(
    r"(openinference\.instrumentation|@arizeai/openinference|langfuse|mlflow|litellm|openlit|strands|langsmith|"
    r"agent_framework|semantic_kernel|pydantic-ai|logfire\.(openai|anthropic)|com\.anthropic\.sdk|traceloop|@traceloop/|"
    r"openrouter|langwatch|gcp\.vertex\.agent|agno|crewai|"
    r"opentelemetry\.instrumentation\.(openai|anthropic|google_genai|google_generativeai|langchain|cohere|mistralai|"
    r"bedrock|vertexai|ollama|groq|llamaindex|crewai|openai_agents|together|replicate|watsonx|alephalpha|haystack|"
    r"sagemaker|writer|transformers)|@opentelemetry/instrumentation-openai)(\b|_|$)"
)

GENERATION_OPERATIONS = frozenset(
    "chat completion acompletion text_completion atext_completion generate_content agenerate_content generate "
    "generate_text stream_text responses aresponses anthropic_messages messages message llm fill_in_the_middle "
    "text_completions call_llm".split()
)
EMBEDDING_OPERATIONS = frozenset("embeddings embedding aembedding aembeddings embed embed_content".split())
TOOL_OPERATIONS = frozenset("execute_tool tool tool_call".split())
# Operations around calls; any other, unknown name leaves the decision to what the span carries.
SPAN_OPERATIONS = frozenset(
    "invoke_agent create_agent invoke_workflow invoke_node agent_step execute_task execute_event_loop_cycle "
    "vector_db_retrieve retrieval retriever rerank guardrail memory plan chain parser prompt workflow task agent "
    "handoff step run".split()
)

# LiteLLM's second span of a call: the provider's own request and answer, attribute by attribute.
RAW_REQUEST = re.compile(r"llm\.([^.]+)\.(messages|contents|choices|candidates)\Z")

LANGFUSE_TYPES = {"generation": Kind.GENERATION, "embedding": Kind.EMBEDDING, "tool": Kind.TOOL}
OPENINFERENCE_KINDS = {"LLM": Kind.GENERATION, "EMBEDDING": Kind.EMBEDDING, "TOOL": Kind.TOOL}
MLFLOW_TYPES = {
    "CHAT_MODEL": Kind.GENERATION,
    "LLM": Kind.GENERATION,
    "EMBEDDING": Kind.EMBEDDING,
    "TOOL": Kind.TOOL,
}
LANGWATCH_TYPES = {"llm": Kind.GENERATION, "tool": Kind.TOOL}
LANGSMITH_KINDS = {"llm": Kind.GENERATION, "embedding": Kind.EMBEDDING, "tool": Kind.TOOL}

MODEL_KEYS = (
    "$ai_model",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model_name",
    "llm.model_name",
    "llm.request.model",
    "llm.response.model",
    "ai.model.id",
    "langfuse.observation.model.name",
    "mlflow.llm.model",
    "llm.model",
    "gen_ai.model",
    "model_name",
    "model",
)
TOKEN_KEYS = (
    "$ai_input_tokens",
    "$ai_output_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.usage.prompt_tokens",
    "llm.usage.completion_tokens",
    "llm.usage.total_tokens",
    "llm.usage.input_tokens",
    "llm.usage.output_tokens",
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
)


def is_kept(span: Span, prefixes: tuple[str, ...] | None = None, added: tuple[str, ...] = ()) -> bool:
    """Whether the span's name or one of its keys starts with a prefix; without a list of the caller's also by scope."""
    wanted = (PREFIXES if prefixes is None else prefixes) + added
    if span.name.startswith(wanted) or any(key.startswith(wanted) for key in span.keys):
        return True
    return prefixes is None and SCOPES.match(span.scope_name) is not None


def is_openrouter(span: Span) -> bool:
    return span.resource.get("service.name") == "openrouter" or span.scope_name == "openrouter"


def dialects(span: Span) -> list[str]:
    """The dialects that a span speaks, most telling first: by the keys it carries, and its scope and resource."""
    keys = span.keys
    found: list[str] = []

    def carries(*prefixes: str) -> bool:
        return any(key.startswith(prefixes) for key in keys)

    if is_openrouter(span):
        found.append("openrouter")
    if carries("langfuse.observation.", "langfuse.trace."):
        found.append("langfuse")
    if carries("ai.", "metadata.ai.") or span.scope_name == "ai":
        found.append("vercel")
    if carries("mlflow.") or span.scope_name.startswith("mlflow"):
        found.append("mlflow")
    if span.scope_name == "litellm" or carries("litellm."):
        found.append("litellm")
    if carries("pydantic_ai.", "model_request_parameters", "logfire.") or span.scope_name == "pydantic-ai":
        found.append("pydantic_ai")
    if carries("openinference.", "llm.token_count.", "llm.input_messages.", "llm.output_messages.", "embedding."):
        found.append("openinference")
    if carries(
        "traceloop.",
        "llm.request.type",
        "llm.usage.",
        "gen_ai.prompt.",
        "gen_ai.completion.",
        "gen_ai.task.",
        "gen_ai.openai.api_base",
    ):
        found.append("traceloop")
    if carries("anthropic."):
        found.append("anthropic")
    if carries("langwatch."):
        found.append("langwatch")
    if carries("langsmith."):
        found.append("langsmith")
    if carries("gcp.vertex.agent."):
        found.append("google_adk")
    found += ["otel_genai", "fallback"]
    return found


def from_operation(operation: str) -> Kind | None:
    operation = operation.lower()
    if operation in GENERATION_OPERATIONS:
        return Kind.GENERATION
    if operation in EMBEDDING_OPERATIONS:
        return Kind.EMBEDDING
    if operation in TOOL_OPERATIONS:
        return Kind.TOOL
    if operation in SPAN_OPERATIONS:
        return Kind.SPAN
    return None


def openrouter_kind(span: Span) -> Kind:
    """Only the root is the call; its attempts and its streaming phase describe it again."""
    response_id = span.attributes.get("gen_ai.response.id")
    if span.name.startswith("provider attempt"):
        return Kind.SPAN
    if isinstance(response_id, str) and re.search(r":(attempt-\d+|generation)\Z", response_id, re.ASCII):
        return Kind.SPAN
    if span.attributes.get("span.type") == "span":
        return Kind.SPAN
    return Kind.GENERATION


def kind_of(span: Span) -> Kind:
    a = span.attributes
    if is_openrouter(span) and any(k.startswith("gen_ai.") for k in span.keys):
        return openrouter_kind(span)
    marker = quoted_text(a.get("langfuse.observation.type"))
    if marker is not None:
        return LANGFUSE_TYPES.get(marker, Kind.SPAN)
    marker = quoted_text(a.get("mlflow.spanType"))
    if marker is not None:
        return MLFLOW_TYPES.get(marker, Kind.SPAN)
    marker = text(a.get("openinference.span.kind"))
    if marker is not None:
        kind = OPENINFERENCE_KINDS.get(marker.upper(), Kind.SPAN)
        return Kind.SPAN if kind is Kind.GENERATION and is_preparation(span) else kind
    marker = text(a.get("ai.operationId"))
    if marker is not None:
        if marker.endswith((".doGenerate", ".doStream")):
            return Kind.GENERATION
        if marker.endswith(".doEmbed"):
            return Kind.EMBEDDING
        return Kind.TOOL if marker == "ai.toolCall" else Kind.SPAN
    marker = text(a.get("langsmith.span.kind"))
    if marker is not None:
        return LANGSMITH_KINDS.get(marker.lower(), Kind.SPAN)
    marker = text(a.get("langwatch.span.type"))
    if marker is not None:
        return LANGWATCH_TYPES.get(marker.lower(), Kind.SPAN)
    marker = text(a.get("traceloop.span.kind"))
    if marker is not None:
        return Kind.TOOL if marker == "tool" else Kind.SPAN
    operation = text(a.get("gen_ai.operation.name"))
    if operation is not None:
        found = from_operation(operation)
        return found if found is not None else inferred_kind(span)
    request_type = text(a.get("llm.request.type"))
    if request_type is not None:
        found = from_operation(request_type)
        return found if found is not None else inferred_kind(span)
    return inferred_kind(span)


def is_preparation(span: Span) -> bool:
    """LlamaIndex gives the kind LLM to steps around a call too: they carry neither messages nor tokens."""
    said = ("llm.input_messages.", "llm.output_messages.", "llm.token_count.", "llm.prompts", "gen_ai.")
    prepared = "input.value" in span.attributes and "output.value" in span.attributes
    return prepared and span.status_code != 2 and not any(key.startswith(said) for key in span.keys)


def inferred_kind(span: Span) -> Kind:
    """No dialect says what the span is: what it carries does."""
    a = span.attributes
    if span.scope_name == "litellm":
        return Kind.GENERATION if any(RAW_REQUEST.match(k) for k in a) else Kind.SPAN
    has_model = any(text(a.get(k)) for k in MODEL_KEYS)
    if has_model and any(count(a.get(k)) is not None for k in TOKEN_KEYS):
        return Kind.GENERATION
    if has_model and any(
        k in a
        for k in (
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.prompt",
            "gen_ai.completion",
            "gen_ai.prompt.0.content",
        )
    ):
        return Kind.GENERATION
    if text(a.get("embedding.model_name")):
        return Kind.EMBEDDING
    if text(a.get("gen_ai.tool.name")) or text(a.get("gen_ai.tool.call.id")):
        return Kind.TOOL
    # A failed span may carry nothing but its name, which the conventions make "{operation} {model}".
    operation, space, model = span.name.partition(" ")
    if space and model and SCOPES.match(span.scope_name) and not a:
        found = from_operation(operation)
        if found in (Kind.GENERATION, Kind.EMBEDDING):
            return found
    return Kind.SPAN
