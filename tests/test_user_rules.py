"""The rules that a user adds: a dialect of their own, in both modes, in both mappers; and how mistakes are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import spanmap
from builders import chat, request, span
from mappers import COMPAT_MODES, MAPPERS, run
from spanmap.cli.commands import spanmap as command

Json = Any

# A house dialect: nothing of it is known to spanmap.
ACME = {
    "acme.kind": "chat",
    "acme.vendor": "openai",
    "acme.model": "gpt-4o",
    "acme.tokens.in": 12,
    "acme.tokens.out": 3,
    "acme.prompt": '[{"role": "user", "content": "hello"}]',
    "acme.answer": '[{"role": "assistant", "content": "hi"}]',
    "acme.user": "ada",
    "acme.internal.host": "box-7",
}
ACME_RULES: list[dict[str, Json]] = [
    {"prefix": "acme."},
    {"rename": "acme.kind", "to": "gen_ai.operation.name"},
    {"rename": "acme.vendor", "to": "gen_ai.provider.name"},
    {"rename": "acme.model", "to": "gen_ai.request.model"},
    {"rename": "acme.tokens.in", "to": "gen_ai.usage.input_tokens"},
    {"rename": "acme.tokens.out", "to": "gen_ai.usage.output_tokens"},
    {"rename": "acme.prompt", "to": "gen_ai.input.messages"},
    {"rename": "acme.answer", "to": "gen_ai.output.messages"},
    {"rename": "acme.user", "to": "user.id"},
    {"drop": "acme.internal.*"},
    {"set": "team", "value": "search"},
]
ACME_TOML = """
[[rule]]
prefix = "acme."

[[rule]]
rename = "acme.model"
to = "gen_ai.request.model"

[[rule]]
drop = "acme.internal.*"

[[rule]]
set = "sampled"
value = true
"""


@pytest.mark.parametrize("mapper", MAPPERS)
def test_a_house_dialect_becomes_whole_generations(mapper: str) -> None:
    body = request(span(1, ACME, name="ask"))
    assert run(mapper, body).events == []
    (event,) = run(mapper, body, rules=ACME_RULES).events
    properties = event["properties"]
    assert event["event"] == "$ai_generation"
    assert event["distinct_id"] == "ada"
    assert properties["$ai_model"] == "gpt-4o"
    assert properties["$ai_provider"] == "openai"
    assert (properties["$ai_input_tokens"], properties["$ai_output_tokens"]) == (12, 3)
    assert properties["$ai_input"] == [{"role": "user", "content": "hello"}]
    assert properties["$ai_output_choices"] == [{"role": "assistant", "content": "hi"}]
    assert properties["team"] == "search"
    assert not any("internal" in name for name in properties)


@pytest.mark.parametrize("compat", COMPAT_MODES)
@pytest.mark.parametrize(
    "rules",
    [
        ACME_RULES,
        [{"prefix": "acme."}],
        [{"prefix": "ask"}],
        [{"prefix": ""}],
        [{"drop": "acme.*"}, {"set": "gen_ai.request.model", "value": "m2"}],
        [{"drop": "*"}, {"prefix": "ask"}],
        [{"rename": "acme.model", "to": "gen_ai.request.model"}, {"rename": "acme.vendor", "to": "acme.model"}],
        [{"rename": "gen_ai.request.model", "to": "acme.model"}],
        [{"rename": "acme.model", "to": "acme.model"}, {"prefix": "acme."}],
        [{"set": "acme.model", "value": "kept"}, {"prefix": "acme."}],
        [{"set": "number", "value": 2**63 - 1}, {"set": "share", "value": 0.5}, {"set": "is_beta", "value": True}],
        [{"drop": "service.name"}],
        [],
    ],
    ids=json.dumps,
)
def test_both_mappers_follow_rules_alike(rules: list[dict[str, Json]], compat: str) -> None:
    resource = {"service.name": "web", "acme.region": "eu"}
    body = request(
        span(1, ACME, name="ask", resource=resource),
        span(2, chat() | ACME, parent=1, resource=resource),
        span(3, {"db.system": "redis"}, parent=1, name="GET", resource=resource),
    )
    core, slow = (run(mapper, body, rules=rules, compat=compat) for mapper in ("core", "reference"))
    assert core == slow
    assert core.error is None


def test_rules_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(ACME_TOML, encoding="utf-8")
    body = request(span(1, ACME, name="ask"))
    rules: list[dict[str, Json]] = [
        {"prefix": "acme."},
        {"rename": "acme.model", "to": "gen_ai.request.model"},
        {"drop": "acme.internal.*"},
        {"set": "sampled", "value": True},
    ]
    expected = spanmap.map_traces(body, rules=rules)
    assert expected[0]["properties"]["sampled"] is True
    assert spanmap.map_traces(body, rules=file) == expected
    assert spanmap.map_traces(body, rules=str(file)) == expected
    (tmp_path / "traces.json").write_bytes(body)
    result = CliRunner().invoke(command, ["map", str(tmp_path / "traces.json"), "--rules", str(file)])
    assert [json.loads(line) for line in result.stdout.splitlines()] == expected


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"dorp": "x"}, r"rules\[1\] is \{'dorp': 'x'\}. A rule is "),
        ({"drop": "x", "to": "y"}, r"rules\[1\] is "),
        ({"drop": 1}, r"rules\[1\] is "),
        ({"drop": ""}, r"rules\[1\] is "),
        ({"rename": "x"}, r"rules\[1\] is "),
        ({"rename": "x", "to": ""}, r"rules\[1\] is "),
        ({"set": "x"}, r"rules\[1\] is "),
        ({"set": "x", "value": ["y"]}, r"rules\[1\] is "),
        (
            {"set": "x", "value": 2**63},
            r"rules\[1\] sets x to 9223372036854775808. Pass an integer of at most 64 bits.",
        ),
        ("drop x", r"rules\[1\] is 'drop x'"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: Json, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        spanmap.Mapper(rules=[{"drop": "fine"}, rule])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]]\ndorp = 'x'", r"acme.toml: rule\[0\] is \{'dorp': 'x'\}. A rule is "),
        ("[[rule]]\nset = 'x'\nvalue = 2026-01-01", r"acme.toml: rule\[0\] is "),
        ("[rule]\ndrop = 'x'", r"acme.toml holds one rule. Write each rule as a \[\[rule\]\] table."),
        ("[[rules]]\ndrop = 'x'", r"acme.toml holds rules. Write each rule as a \[\[rule\]\] table."),
        ("drop = ", r"acme.toml is not TOML in UTF-8 \("),
    ],
)
def test_a_file_that_is_none_of_rules_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        spanmap.Mapper(rules=file)
    result = CliRunner().invoke(command, ["map", "--sample", "--rules", str(file)])
    assert result.exit_code == 2
    assert "acme.toml" in result.stderr


def test_a_missing_file_is_said() -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such\.toml"):
        spanmap.Mapper(rules="no-such.toml")
    result = CliRunner().invoke(command, ["map", "--sample", "--rules", "no-such.toml"])
    assert result.exit_code == 2
    assert "no-such.toml" in result.stderr
