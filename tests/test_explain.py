"""Explanations: every property has a reason that holds, every attribute is accounted for, on all captured exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import spanmap
from builders import chat, request, span
from spanmap.cli import catalogue
from spanmap.cli.commands import spanmap as command

Json = Any

CORPUS = Path(__file__).parent / "corpus"
FILES = [row["file"] for row in json.loads((CORPUS / "manifest.json").read_text("utf-8"))]
SAMPLE = spanmap.samples.read("fastapi-openai.pb")
REASONS = {"empty", "secret", "noise", "content", "read"}


def invoke(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def explain_one(plain: dict[str, Json]) -> tuple[dict[str, Json], dict[str, str]]:
    (explained,) = spanmap.Mapper().explain(request(span(1, plain))).events
    notes = {note["property"]: note for note in explained["properties"]}
    return notes, {unused["key"]: unused["reason"] for unused in explained["unused"]}


@pytest.mark.parametrize("privacy_mode", [False, True])
@pytest.mark.parametrize("file", FILES)
def test_events_are_the_same_and_each_property_has_one_reason(file: str, privacy_mode: bool) -> None:
    body = (CORPUS / file).read_bytes()
    mapper = spanmap.Mapper(privacy_mode=privacy_mode)
    explanation = mapper.explain(body)
    batch = mapper.map_batch(body)
    assert [explained["event"] for explained in explanation.events] == batch.events
    assert explanation.drops == batch.drops
    known = {rule["id"] for rule in spanmap.rules()}
    for explained in explanation.events:
        noted = [note["property"] for note in explained["properties"]]
        if explained["event"]["event"] != "$ai_evaluation":
            assert sorted(noted) == sorted(explained["event"]["properties"])
        assert {note["rule"] for note in explained["properties"]} <= known
        assert {unused["reason"] for unused in explained["unused"]} <= REASONS
        keys = [unused["key"] for unused in explained["unused"]]
        assert len(set(keys)) == len(keys)
    json.dumps(explanation.to_dict())


def test_a_note_names_the_rule_the_source_and_the_losers() -> None:
    notes, unused = explain_one(
        chat(gen_ai__response__model="m1-0613", gen_ai__usage__input_tokens=5, gen_ai__usage__prompt_tokens=6)
        | {"api_key": "sk-1", "nothing": "", "plan": "pro"}
    )
    assert notes["$ai_model"] == {
        "property": "$ai_model",
        "rule": "genai.model",
        "source": "gen_ai.response.model",
        "losers": ["gen_ai.request.model"],
    }
    assert notes["$ai_input_tokens"]["losers"] == ["gen_ai.usage.prompt_tokens"]
    assert notes["plan"]["rule"] == "pass_through"
    assert notes["$ai_latency"]["rule"] == "wire.times"
    assert unused["api_key"] == "secret"
    assert unused["nothing"] == "empty"


def test_drops_and_errors_are_part_of_it() -> None:
    body = request(span(1, chat()), span(2, {"db.system": "redis"}, name="GET"))
    explanation = spanmap.Mapper().explain(body)
    assert [(drop.name, drop.reason) for drop in explanation.drops] == [("GET", "no_ai_prefix")]
    assert explanation.to_dict()["drops"] == [
        {
            "reason": "no_ai_prefix",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": f"{2:016x}",
            "name": "GET",
        }
    ]
    bad = body.replace(f"{2:016x}".encode(), b"no id")
    explanation = spanmap.Mapper(on_error="skip").explain(bad)
    assert len(explanation.errors) == 1
    assert "span_id" in explanation.to_dict()["errors"][0]


def test_only_the_mode_that_has_rules_explains() -> None:
    with pytest.raises(ValueError, match=r'Make a Mapper with compat="best"'):
        spanmap.Mapper(compat="posthog").explain(SAMPLE)


def test_explain_on_the_command_line_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "traces.pb"
    file.write_bytes(SAMPLE)
    assert json.loads(invoke("explain", file, "--format", "json")) == spanmap.Mapper().explain(SAMPLE).to_dict()
    table = invoke("explain", "--sample")
    assert "genai.input_tokens" in table
    assert "no_ai_prefix" in table
    (tmp_path / "evil.json").write_bytes(request(span(1, chat() | {"plan": "\x1b[31m[bold]evil"})))
    shown = invoke("explain", tmp_path / "evil.json")
    assert "[31m[bold]evil" in shown
    assert "\x1b" not in shown


def test_rules_on_the_command_line_are_those_of_the_core() -> None:
    told = json.loads(invoke("rules", "--format", "json"))
    assert told["rules"] == spanmap.rules()
    assert [tuple(row.values()) for row in told["cache_conventions"]] == spanmap.cache_conventions()
    table = invoke("rules")
    page = invoke("rules", "--format", "markdown")
    for rule in spanmap.rules():
        assert rule["id"] in table
        assert f"`{rule['id']}`" in page
        for source in rule["from"]:
            assert f"`{source}`" in page


def test_every_shape_and_every_computed_rule_is_explained() -> None:
    assert {rule["shape"] for rule in spanmap.rules()} - {""} == catalogue.SHAPES.keys()
    assert {rule["id"] for rule in spanmap.rules() if not rule["from"]} == catalogue.COMPUTED.keys()
