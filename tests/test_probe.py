"""Every source of every rule, alone and beside each other source: the core and the reference must choose alike.

The rules are those that the core names in `spanmap.rules()`. Each probe is a span of a trace of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

import spanmap
from builders import request, span
from compare import difference
from mappers import run

Json = Any
Rule = dict[str, Any]

RULES = [rule for rule in spanmap.rules() if rule["from"]]

# Attributes that say what a span is, as each dialect says it: a call, an embedding, a tool run, another span.
OPERATION = ("gen_ai.operation.name", ["chat", "embeddings", "execute_tool", "invoke_agent"])
KINDS = {
    "langfuse": ("langfuse.observation.type", ["generation", "embedding", "tool", "span"]),
    "vercel": ("ai.operationId", ["ai.generateText.doGenerate", "ai.embed.doEmbed", "ai.toolCall", "ai.generateText"]),
    "mlflow": ("mlflow.spanType", ['"CHAT_MODEL"', '"EMBEDDING"', '"TOOL"', '"CHAIN"']),
    "openinference": ("openinference.span.kind", ["LLM", "EMBEDDING", "TOOL", "CHAIN"]),
    "langwatch": ("langwatch.span.type", ["llm", "tool", "span"]),
    "langsmith": ("langsmith.span.kind", ["llm", "embedding", "tool", "chain"]),
}
# What makes a span speak the dialect where its kind does not.
MARKS: dict[str, dict[str, Json]] = {
    "openrouter": {"resource": {"service.name": "openrouter"}},
    "litellm": {"scope": "litellm"},
    "pydantic_ai": {"scope": "pydantic-ai"},
    "traceloop": {"plain": {"traceloop.probe": "1"}},
    "anthropic": {"plain": {"anthropic.probe": "1"}},
    "google_adk": {"plain": {"gcp.vertex.agent.probe": "1"}},
}
# For each shape two values that have it, then others that are near to it or have it in another way.
VALUES: dict[str, list[Json]] = {
    "count": [7, "8", 0, -1, 2.0, 2.5, "x", "", True],
    "number": [0.25, "0.5", 3, 0, -1.5, "x", ""],
    "milliseconds": [1500, "1500.5", 0.25, -1, "x"],
    "text": ["word", "other", "", 5, '"word"'],
    "quoted_text": ['"word"', "other", 12, '""', "", "null"],
    "whatever": ["word", '{"a": [1, 2.50]}', 5, False, "", "{}", "[]", ["a"]],
    "content": ["word", '{"a": [1]}', "{}", "N/A", "", '[{"role": "user", "content": "hi"}]'],
    "provider": ["OpenAI", "aws.bedrock", "Some New Provider", "gcp.vertex_ai", "", 5],
    "stop_reason": ["stop", '["length", "stop"]', ["tool_calls"], "[]", "", 5],
    "parameters": ['{"temperature": 0.5}', '{"top_p": 1, "stop": ["a"]}', "{}", "x", 5],
    "tools": [
        '[{"type": "function", "function": {"name": "f"}}]',
        '[{"name": "g"}]',
        ['{"type": "function", "function": {"name": "h"}}'],
        "[]",
        "x",
    ],
    "": [0.5, "word", '["a"]', 7, True, "", "{}"],
}


def kinds_of(dialect: str) -> list[dict[str, Json]]:
    key, names = KINDS.get(dialect, OPERATION)
    return [{key: name} for name in names]


def attribute_of(source: str, value: Json) -> tuple[str, Json]:
    """The attribute that makes a source say the value: for `key#a.b` the JSON text of an object, or of a list."""
    key, is_member, path = source.replace("*", "probe").partition("#")
    if not is_member:
        return key, value
    for name in reversed(path.split(".")):
        value = [value] if name == "0" else {name: value}
    return key, json.dumps(value)


def probes_of(rule: Rule) -> Iterator[dict[str, Json]]:
    sources, values = rule["from"], VALUES[rule["shape"]]
    kinds = kinds_of(rule["dialect"])
    for kind in kinds:
        for source in sources:
            for value in values:
                yield kind | dict([attribute_of(source, value)])
    for kind in (kinds[0], kinds[-1]):
        for first, second in combinations(sources, 2):
            # Both say something; only the second does; both say the same thing that may be nothing.
            for told in ((values[0], values[1]), (values[-1], values[0]), (values[-1], values[-1])):
                yield kind | merged(attribute_of(first, told[0]), attribute_of(second, told[1]))


def merged(first: tuple[str, Json], second: tuple[str, Json]) -> dict[str, Json]:
    """Two attributes, or one that holds the members of both."""
    if first[0] != second[0]:
        return dict([first, second])
    held = [json.loads(text) for _, text in (first, second)]
    return {first[0]: json.dumps(united(*held))}


def united(first: Json, second: Json) -> Json:
    if isinstance(first, dict) and isinstance(second, dict):
        shared = {name: united(first[name], second[name]) for name in first.keys() & second.keys()}
        return first | second | shared
    if isinstance(first, list) and isinstance(second, list):
        return [united(first[0], second[0])]
    return first


def body_of(rule: Rule, probes: list[dict[str, Json]]) -> bytes:
    mark = MARKS.get(rule["dialect"], {})
    return request(
        *(
            span(
                number,
                mark.get("plain", {}) | probe,
                trace=f"{number:032x}",
                scope=mark.get("scope", ""),
                resource=mark.get("resource"),
            )
            for number, probe in enumerate(probes, 1)
        )
    )


def name_of(rule: Rule) -> str:
    return f"{rule['id']}-{rule['to']}"


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_every_source_is_read_alike(rule: Rule) -> None:
    probes = list(probes_of(rule))
    core, slow = (run(mapper, body_of(rule, probes)) for mapper in ("core", "reference"))
    assert (core.error, slow.error) == (None, None)
    assert len(core.events) == len(slow.events) == len(probes)
    for probe, ours, theirs in zip(probes, core.events, slow.events, strict=True):
        found = difference(ours, theirs)
        assert found is None, f"{probe}: {found}"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule["dialect"]], ids=name_of)
def test_every_source_can_decide(rule: Rule) -> None:
    """A source that never decides would be a rule that says more than it does."""
    kinds, values = kinds_of(rule["dialect"]), VALUES[rule["shape"]]
    for source in rule["from"]:
        probes = [kind | dict([attribute_of(source, value)]) for kind in kinds for value in values]
        explained = spanmap.Mapper().explain(body_of(rule, probes))
        decided = {
            (note["property"], note["rule"], note["source"])
            for event in explained.events
            for note in event["properties"]
        }
        assert (rule["to"], rule["id"], source) in decided
