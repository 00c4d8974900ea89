"""Users measure their own exports: the account of the load is right, and whoever cannot take part is named."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import spanmap
from spanmap.bench import contestants, measure, rounds
from spanmap.cli.commands import spanmap as command
from test_cli import otlp_json

SAMPLE = spanmap.samples.read("fastapi-openai.pb")


def test_the_account_of_the_load_is_that_of_the_mapper() -> None:
    mapper = spanmap.Mapper()
    batch = mapper.map_batch(SAMPLE)
    load = measure([SAMPLE, SAMPLE], seconds=0.01).load
    assert (load.requests, load.body_bytes, load.spans) == (2, 2 * len(SAMPLE), 2 * batch.span_count)
    assert (load.events, load.output_bytes) == (2 * len(batch.events), 2 * len(batch.to_json()))
    assert load.dropped == {reason: 2 * count for reason, count in mapper.counters["dropped"].items()}


def test_all_that_are_installed_take_part() -> None:
    report = measure([SAMPLE], seconds=0.01)
    names = [timing.name for timing in report.timings]
    assert names[:2] == [contestants.JSON_BYTES, contestants.DICTS]
    assert {contestants.PLAIN_JSON, contestants.PLAIN_DICTS, contestants.REFERENCE, contestants.COPY} <= set(names)
    assert not report.left_out
    assert report.timings[0].times_spanmap_json == 1.0
    assert report.noise_span_nanos is not None


def test_rivals_that_read_no_json_are_named_and_left_out() -> None:
    report = measure([otlp_json("chat")], seconds=0.01)
    assert set(report.left_out) == {contestants.PLAIN_JSON, contestants.PLAIN_DICTS}
    assert report.noise_span_nanos is None


def test_what_is_not_installed_is_named_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith(("spanmap.reference", "spanmap.bench.plain"))]:
        monkeypatch.delitem(sys.modules, module)
    for missing in ("orjson", "opentelemetry.proto.collector.trace.v1.trace_service_pb2", "google.protobuf.message"):
        monkeypatch.setitem(sys.modules, missing, None)
    report = measure([SAMPLE], seconds=0.01)
    assert set(report.left_out) == {contestants.PLAIN_JSON, contestants.PLAIN_DICTS, contestants.REFERENCE}
    assert "pip install 'spanmap[bench]'" in report.left_out[contestants.PLAIN_JSON]
    assert "json.loads of the events" in [timing.name for timing in report.timings]


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        measure([])


def test_each_round_begins_with_another_contestant() -> None:
    order: list[str] = []

    def call(name: str) -> None:
        order.append(name)
        time.sleep(6e-3)  # Longer than a sample has to be, so that one call is one.

    nanos = rounds.run_rounds({"a": lambda: call("a"), "b": lambda: call("b")}, seconds=0, min_rounds=4)
    assert [len(taken) for taken in nanos.values()] == [4, 4]
    assert "".join(order[-8:]) == "abbaabba"


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    assert rounds.median_ratio([10, 40, 90], [10, 20, 30]) == 2.0


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["bench", *map(str, arguments), "--seconds", "0.01"])
    return result.exit_code, result.output


def test_the_command_shows_load_noise_and_contestants(tmp_path: Path) -> None:
    file = tmp_path / "own.pb"
    file.write_bytes(SAMPLE)
    status, shown = run(file)
    assert status == 0
    for expected in ("dropped spans", "no_ai_prefix", "a dropped span costs", "spanmap, dicts", "plain Python, JSON"):
        assert expected in shown


def test_the_command_gives_its_report_as_json() -> None:
    status, shown = run("--format", "json", "--compat", "posthog")
    report = json.loads(shown)
    assert status == 0
    assert report["compat"] == "posthog"
    assert report["load"]["spans"] == spanmap.Mapper().map_batch(SAMPLE).span_count
    assert all(timing["min_nanos"] <= timing["median_nanos"] for timing in report["timings"])


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "damaged.pb"
    file.write_bytes(SAMPLE[:-3])
    assert run(file)[0] == 1
    assert run(tmp_path / "missing.pb")[0] == 2
