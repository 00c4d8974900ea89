"""Token buckets add up: whatever a library counts as input, the prompt's tokens fall into three buckets and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import chat, map_best, map_spans, span
from judged import judged
from truth import exports, facts

Json = Any

CACHE_KINDS = ("$ai_cache_read_input_tokens", "$ai_cache_creation_input_tokens")
COUNTS = st.integers(0, 2_000_000)

CLAUDE = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
LANGFUSE = {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "claude-sonnet-4-5"}
MLFLOW = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"claude-sonnet-4-5"'}
OPENINFERENCE = {"openinference.span.kind": "LLM", "llm.model_name": "claude-sonnet-4-5", "llm.provider": "anthropic"}
VERCEL = {"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages"}
VERCEL_CLAUDE = VERCEL | {"ai.model.id": "claude-sonnet-4-5"}
VERCEL_OPENAI = VERCEL | {"ai.model.provider": "openai.chat", "ai.model.id": "gpt-4o"}


@dataclass(frozen=True)
class Library:
    """How one library counts: which attributes it writes for input, cache read and cache creation tokens.

    Attributes:
        exclusive: Its input tokens leave out the cached ones.
        reads_only: It has no place for tokens that were written to a cache.
    """

    name: str
    scope: str
    count: Callable[[int, int, int], dict[str, Json]]
    exclusive: bool = False
    reads_only: bool = False
    resource: str = "app"


def keys(fixed: dict[str, Json], *names: str) -> Callable[[int, int, int], dict[str, Json]]:
    """Each count is an attribute of its own."""
    return lambda *counts: fixed | dict(zip(names, counts, strict=False))


def document(fixed: dict[str, Json], key: str, *names: str) -> Callable[[int, int, int], dict[str, Json]]:
    """All counts are members of one JSON text."""
    return lambda *counts: fixed | {key: json.dumps(dict(zip(names, counts, strict=False)))}


def vercel_metadata(tokens: int, read: int, creation: int) -> dict[str, Json]:
    metadata = {"anthropic": {"cacheReadInputTokens": read, "cacheCreationInputTokens": creation}}
    return VERCEL_CLAUDE | {"ai.usage.promptTokens": tokens, "ai.response.providerMetadata": json.dumps(metadata)}


def vercel_usage(tokens: int, read: int, creation: int) -> dict[str, Json]:
    usage = {"input_tokens": tokens, "cache_read_input_tokens": read, "cache_creation_input_tokens": creation}
    metadata = {"anthropic": {"usage": usage, "cacheCreationInputTokens": creation}}
    return VERCEL_CLAUDE | {"ai.usage.inputTokens": tokens, "ai.response.providerMetadata": json.dumps(metadata)}


CONVENTIONS = ("gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens")
CURRENT = (*CONVENTIONS, "gen_ai.usage.cache_creation.input_tokens")
UNDERSCORES = (
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
)
VERCEL_6 = (
    "ai.usage.inputTokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
LIBRARIES = (
    Library("conventions", "", keys(chat() | CLAUDE, *CURRENT)),
    Library("conventions for OpenAI", "", keys(chat(), *CURRENT)),
    Library(
        "Anthropic's SDK",
        "com.anthropic.sdk.python",
        keys(chat() | CLAUDE, *CONVENTIONS, "gen_ai.usage.cache_write.input_tokens"),
    ),
    Library("OpenLLMetry", "opentelemetry.instrumentation.anthropic", keys(chat() | CLAUDE, *UNDERSCORES)),
    Library(
        "OpenInference",
        "openinference.instrumentation.anthropic",
        keys(
            OPENINFERENCE,
            "llm.token_count.prompt",
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_write",
        ),
    ),
    Library("openlit", "openlit.instrumentation.anthropic", keys(chat() | CLAUDE, *CURRENT), exclusive=True),
    Library("openlit for OpenAI", "openlit.instrumentation.openai", keys(chat(), *CURRENT)),
    Library("Vercel 4", "ai", vercel_metadata, exclusive=True),
    Library("Vercel 5", "ai", vercel_usage, exclusive=True),
    Library(
        "Vercel 5 for OpenAI",
        "ai",
        keys(VERCEL_OPENAI, "ai.usage.inputTokens", "ai.usage.cachedInputTokens"),
        reads_only=True,
    ),
    Library("Vercel 6", "ai", keys(VERCEL_CLAUDE, *VERCEL_6)),
    Library("Vercel 7", "gen_ai", keys(chat() | CLAUDE, *CURRENT)),
    Library(
        "Pydantic AI",
        "pydantic-ai",
        keys(
            chat() | CLAUDE,
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
        ),
    ),
    Library(
        "Langfuse",
        "langfuse-sdk",
        document(
            LANGFUSE,
            "langfuse.observation.usage_details",
            "input",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ),
        exclusive=True,
    ),
    Library(
        "MLflow",
        "mlflow",
        document(
            MLFLOW,
            "mlflow.chat.tokenUsage",
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ),
    ),
    Library("LiteLLM", "litellm", keys(chat() | CLAUDE, *CURRENT)),
    Library(
        "OpenRouter",
        "openrouter",
        keys(
            chat() | CLAUDE,
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.input_tokens.cached",
            "gen_ai.usage.input_tokens.cache_write",
        ),
        resource="openrouter",
    ),
)


def call_of(mapper: str, library: Library, *counts: int) -> dict[str, Json]:
    """The properties of the one call that a library wrote with these counts."""
    written = span(1, library.count(*counts), scope=library.scope, resource={"service.name": library.resource})
    (event,) = map_spans(mapper, written)
    assert event["event"] == "$ai_generation"
    return dict(event["properties"])


@given(library=st.sampled_from(LIBRARIES), fresh=COUNTS, read=COUNTS, creation=COUNTS)
def test_buckets_partition_the_prompt(mapper: str, library: Library, fresh: int, read: int, creation: int) -> None:
    if library.reads_only:
        creation = 0
    written = fresh if library.exclusive else fresh + read + creation
    call = call_of(mapper, library, written, read, creation)
    assert [call.get(kind, 0) for kind in CACHE_KINDS] == [read, creation]
    cached_inside = 0 if call["$ai_cache_reporting_exclusive"] else read + creation
    assert call["$ai_input_tokens"] - cached_inside == fresh


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
def test_the_convention_is_that_of_the_library(mapper: str, library: Library) -> None:
    call = call_of(mapper, library, 5000, 2048, 0 if library.reads_only else 1500)
    assert call["$ai_cache_reporting_exclusive"] is library.exclusive


@given(library=st.sampled_from(LIBRARIES), tokens=COUNTS, read=COUNTS, creation=COUNTS)
def test_no_bucket_is_negative(mapper: str, library: Library, tokens: int, read: int, creation: int) -> None:
    """Also of numbers that contradict the library's own convention."""
    call = call_of(mapper, library, tokens, read, creation)
    cached = sum(call.get(kind, 0) for kind in CACHE_KINDS)
    assert call["$ai_cache_reporting_exclusive"] or call["$ai_input_tokens"] >= cached
    assert min(call.get(kind, 0) for kind in (*CACHE_KINDS, "$ai_input_tokens")) >= 0


@pytest.mark.parametrize("stated", [True, False])
def test_what_the_source_states_is_believed(mapper: str, stated: bool) -> None:
    told = chat(gen_ai__usage__input_tokens=10, gen_ai__usage__cache_read__input_tokens=4)
    (event,) = map_spans(mapper, span(1, told | {"$ai_cache_reporting_exclusive": stated}))
    assert event["properties"]["$ai_cache_reporting_exclusive"] is stated


def test_without_cached_tokens_no_convention_is_stated(mapper: str) -> None:
    (event,) = map_spans(mapper, span(1, chat(gen_ai__usage__input_tokens=10)))
    assert "$ai_cache_reporting_exclusive" not in event["properties"]


def test_captured_calls_state_the_convention_and_no_bucket_is_negative(mapper: str) -> None:
    cached = []
    for scenario in facts.load():
        for body in exports.bodies(scenario):
            cached += [
                event["properties"] for event in map_best(mapper, body) if set(CACHE_KINDS) & event["properties"].keys()
            ]
    assert len(cached) >= 15
    for call in cached:
        exclusive = call["$ai_cache_reporting_exclusive"]
        assert exclusive in (True, False)
        assert exclusive or call["$ai_input_tokens"] >= sum(call.get(kind, 0) for kind in CACHE_KINDS)


def test_captured_scenarios_add_up_to_what_was_billed(mapper: str) -> None:
    report = judged(mapper)
    assert report.wrong("input_tokens_sum", "output_tokens_sum") == []
    assert report.families["input_tokens_sum"].judged >= 130
