"""The shapes of single facts: providers, stop reasons, tools, durations."""

from __future__ import annotations

from typing import Any

from .messages import is_empty
from .values import number, parse_container, parse_json, quoted_text, whatever

# Frameworks put their own name where the provider belongs; the provider is then known from elsewhere or not at all.
FRAMEWORKS = frozenset(
    "agno autogen crewai dspy gcp.vertex.agent google_adk haystack langchain langfuse langgraph litellm llama_index "
    "llamaindex mastra microsoft.agent_framework openai_agents openinference openlit openrouter "
    "pydantic_ai pydantic-ai semantic_kernel "
    "smolagents strands strands-agents traceloop vercel".split()
)

# What several systems call one provider. The names on the right are those that PostHog's price list knows.
PROVIDERS = {
    "aws.bedrock": "bedrock",
    "aws_bedrock": "bedrock",
    "amazon_bedrock": "bedrock",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "gcp.gemini": "gemini",
    "gcp.gen_ai": "gemini",
    "gcp.vertex_ai": "vertex_ai",
    "google.generative-ai": "gemini",
    "google.generative_ai": "gemini",
    "google.vertex": "vertex_ai",
    "google_genai": "gemini",
    "google_generativeai": "gemini",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "x_ai": "xai",
    "x-ai": "xai",
}

# Providers that Vercel and others extend by the API: openai.chat, openai.responses, anthropic.messages.
DOTTED = frozenset(
    "openai anthropic mistral cohere groq xai azure google perplexity deepseek togetherai fireworks".split()
)

MODEL_PREFIXES = (
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("gemini", "gemini"),
    ("command", "cohere"),
    ("mistral", "mistral"),
    ("codestral", "mistral"),
    ("grok", "xai"),
    ("deepseek", "deepseek"),
)


def provider(value: Any) -> str | None:
    """The provider in lower case, one name for each; a framework's name is none, `vendor/model` gives the vendor."""
    name = quoted_text(value)
    if name is None:
        return None
    name = name.strip().lower()
    if "/" in name:
        name = name.partition("/")[0]
    if name in FRAMEWORKS or not name:
        return None
    if name in PROVIDERS:
        return PROVIDERS[name]
    head, dot, _ = name.partition(".")
    return head if dot and head in DOTTED else name


def provider_of_model(model: Any) -> str | None:
    """The provider that a well-known model name belongs to: the last resort."""
    if not isinstance(model, str):
        return None
    name = model.lower()
    if "/" in name:
        return provider(name)
    return next((p for prefix, p in MODEL_PREFIXES if name.startswith(prefix)), None)


def stop_reason(value: Any) -> str | None:
    """The first reason of a list, of JSON text of a list, or the text itself; `FinishReason.STOP` is `stop`."""
    if isinstance(value, str) and value[:1] in ("[", '"'):
        found = parse_json(value)
        value = found if isinstance(found, (list, str)) else value
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str) and v), None)
    if not isinstance(value, str) or not value:
        return None
    head, dot, tail = value.rpartition(".")
    return tail.lower() if dot and head.endswith("FinishReason") else value


def milliseconds(value: Any) -> float | None:
    n = number(value)
    return None if n is None else float(n) / 1000.0


# What a recorded request may say of its model's parameters. Everything else in it is content, or somebody's data.
PARAMETER_NAMES = frozenset(
    "temperature top_p top_k min_p max_tokens max_completion_tokens max_output_tokens frequency_penalty "
    "presence_penalty repetition_penalty seed stop stop_sequences n stream tool_choice parallel_tool_calls "
    "reasoning reasoning_effort response_format service_tier verbosity logprobs top_logprobs dimensions "
    "encoding_format maxRetries".split()
)


def parameters(value: Any) -> dict[str, Any] | None:
    """The model parameters of a JSON object."""
    found = parse_container(value)
    if not isinstance(found, dict):
        return None
    return {k: v for k, v in found.items() if v is not None and k in PARAMETER_NAMES} or None


def content(value: Any) -> Any:
    """Like any state, but `{}` and `N/A` stand for content that was not captured."""
    return None if value in ("{}", "N/A") else whatever(value)


def tools(value: Any) -> list[Any] | dict[str, Any] | None:
    """Tool definitions: a list, JSON of a list, or a list of JSON texts."""
    found = parse_container(value)
    if isinstance(found, list):
        items = []
        for item in found:
            inner = parse_container(item) if isinstance(item, str) else None
            items.append(item if inner is None else inner)
        found = items
    return None if is_empty(found) else found
