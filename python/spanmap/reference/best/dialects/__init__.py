"""What each dialect calls the facts of a call: one module a dialect, each a table in order of precedence."""

from __future__ import annotations

from . import (
    anthropic,
    fallback,
    google_adk,
    langfuse,
    langsmith,
    langwatch,
    litellm_otel,
    mlflow,
    openinference,
    openrouter,
    otel_genai,
    pydantic_ai,
    traceloop,
    vercel,
)
from .rule import Rule

# Most telling dialect first.
TABLES: dict[str, tuple[Rule, ...]] = {
    "openrouter": openrouter.RULES,
    "langfuse": langfuse.RULES,
    "vercel": vercel.RULES,
    "mlflow": mlflow.RULES,
    "litellm": litellm_otel.RULES,
    "pydantic_ai": pydantic_ai.RULES,
    "openinference": openinference.RULES,
    "traceloop": traceloop.RULES,
    "anthropic": anthropic.RULES,
    "langwatch": langwatch.RULES,
    "langsmith": langsmith.RULES,
    "google_adk": google_adk.RULES,
    "otel_genai": otel_genai.RULES,
    "fallback": fallback.RULES,
}

# A model's parameters, by the name that they have in PostHog: every attribute that may hold one.
PARAMETERS = (
    ("temperature", "gen_ai.request.temperature ai.settings.temperature"),
    ("top_p", "gen_ai.request.top_p ai.settings.topP"),
    ("top_k", "gen_ai.request.top_k ai.settings.topK"),
    ("max_tokens", "gen_ai.request.max_tokens ai.settings.maxOutputTokens ai.settings.maxTokens"),
    ("frequency_penalty", "gen_ai.request.frequency_penalty llm.frequency_penalty ai.settings.frequencyPenalty"),
    ("presence_penalty", "gen_ai.request.presence_penalty llm.presence_penalty ai.settings.presencePenalty"),
    ("stop", "gen_ai.request.stop_sequences ai.settings.stopSequences"),
    ("seed", "gen_ai.request.seed gen_ai.openai.request.seed ai.settings.seed"),
    ("n", "gen_ai.request.choice.count"),
    ("stream", "gen_ai.request.stream gen_ai.is_streaming llm.is_streaming"),
    ("reasoning_effort", "gen_ai.request.reasoning_effort"),
)

__all__ = ["PARAMETERS", "TABLES", "Rule"]
