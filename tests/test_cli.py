"""The command line, run as users run it: what it reads, what it prints where, and how it exits."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result

import spanmap
from spanmap.cli.commands import spanmap as command
from spanmap.cli.files import FileError, read_requests

SAMPLE = spanmap.samples.read("fastapi-openai.pb")
EVENTS = spanmap.map_traces(SAMPLE)
CAP = 1 << 20


def otlp_json(name: str) -> bytes:
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": name,
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, ["map", *map(str, arguments)])


def events_of(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def names_of(result: Result) -> list[str]:
    return [event["properties"]["$ai_span_name"] for event in events_of(result)]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
def test_one_request_is_read_compressed_or_not(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "traces.bin"
    file.write_bytes(compress(SAMPLE))
    result = run(file)
    assert result.exit_code == 0
    assert events_of(result) == EVENTS


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
def test_lines_of_json_are_requests(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(compress(otlp_json("first") + b"\n\n" + otlp_json("second") + b"\r\n" + otlp_json("third")))
    assert names_of(run(file)) == ["first", "second", "third"]


def test_json_over_several_lines_is_one_request(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(json.dumps(json.loads(otlp_json("only")), indent=2).encode())
    assert names_of(run(file)) == ["only"]


def test_files_of_the_collector_are_read(tmp_path: Path) -> None:
    file = tmp_path / "traces.pb"
    file.write_bytes(framed(SAMPLE, zstandard.compress(SAMPLE)))
    assert events_of(run(file)) == EVENTS + EVENTS


def test_the_installed_command_reads_standard_input() -> None:
    script = Path(sys.executable).with_name("spanmap")
    done = subprocess.run([script, "map", "-"], input=gzip.compress(SAMPLE), capture_output=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == EVENTS


def test_folders_and_globs_are_searched_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "b.json").write_bytes(otlp_json("b"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(otlp_json("a")))
    (tmp_path / "deep" / "er" / "c.json").write_bytes(otlp_json("c"))
    (tmp_path / "notes.txt").write_text("not an export")
    assert names_of(run(tmp_path)) == ["a", "b", "c"]
    assert names_of(run(f"{tmp_path}/**/*.json")) == ["b", "c"]


def test_what_cannot_be_mapped_is_said_and_the_rest_is_mapped(tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    file.write_bytes(otlp_json("first") + b'\n{"resourceSpans": 1}\n' + otlp_json("third"))
    result = run(file)
    assert result.exit_code == 1
    assert names_of(result) == ["first", "third"]
    assert f"failed: {file}, line 2: resource_spans " in result.stderr
    assert "3 requests, 2 spans, 2 events; dropped spans: none; failures: 1" in result.stderr


def test_a_span_that_is_left_out_is_said(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(otlp_json("bad").replace(b"b7ad6b7169203331", b"no id"))
    assert run(file).exit_code == 1
    result = run(file, "--on-error", "skip")
    assert result.exit_code == 0
    assert f"left out: {file}, line 1: resource_spans[0].scope_spans[0].spans[0].span_id " in result.stderr
    assert "dropped spans: 1 unreadable" in result.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (framed(SAMPLE)[:-1], "message 1: the file ends in the middle of it"),
        (framed(SAMPLE) + b"\0\0", "message 2: the file ends in the middle of it"),
        (gzip.compress(SAMPLE)[:-20], "the compressed data is damaged"),
        (zstandard.compress(SAMPLE)[:-20], "the compressed data is damaged"),
        (zstandard.compress(SAMPLE)[:50] + b"\xff" * 20, "the compressed data is damaged"),
        ((CAP + 1).to_bytes(4, "big"), "message 1: 1,048,577 bytes, and the cap is 1,048,576"),
        (gzip.compress(b"{" + b" " * CAP), "over 1,048,576 bytes, and the cap is 1,048,576"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "traces"
    file.write_bytes(content)
    with pytest.raises(FileError, match=says):
        list(read_requests(str(file), CAP))


def test_an_empty_file_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty.pb").touch()
    result = run(tmp_path / "empty.pb")
    assert result.exit_code == 1
    assert "the body is empty" in result.stderr


def test_caps_can_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "traces.pb"
    file.write_bytes(SAMPLE)
    for name, value in (("max_spans", 29), ("max_decompressed_bytes", len(SAMPLE) - 1)):
        assert run(file, "--limit", f"{name}={value}").exit_code == 1
        assert run(file, "--limit", f"{name}={value + 1}").exit_code == 0


def test_json_is_one_array_over_all_requests(tmp_path: Path) -> None:
    file = tmp_path / "traces.pb"
    file.write_bytes(framed(SAMPLE, b"\x0a\x00", SAMPLE))
    assert json.loads(run(file, "--format", "json").stdout) == EVENTS + EVENTS
    file.write_bytes(b"\x0a\x00")
    assert json.loads(run(file, "--format", "json").stdout) == []


def test_a_table_is_made_to_be_read(tmp_path: Path) -> None:
    result = run("--sample", "--format", "table")
    title, *rows = result.stdout.splitlines()
    assert [row.split()[1] for row in rows if "$ai_" in row] == [event["event"] for event in EVENTS]
    assert title.split() == ["time", "(UTC)", "event", "name", "model", "in", "out", "seconds", "error"]
    assert "Error code: 429" in result.stdout
    (tmp_path / "evil.json").write_bytes(otlp_json("\x1b[31m[bold]evil"))
    shown = run(tmp_path / "evil.json", "--format", "table").stdout
    assert "[31m[bold]evil" in shown
    assert "\x1b" not in shown


def test_events_go_to_a_file_and_words_to_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    result = run("--sample", "--output", file)
    assert result.stdout == ""
    assert [json.loads(line) for line in file.read_bytes().splitlines()] == EVENTS
    assert f"1 requests, 30 spans, {len(EVENTS)} events; dropped spans: " in result.stderr
    assert "no_ai_prefix; failures: 0" in result.stderr


def test_options_reach_the_mapper(tmp_path: Path) -> None:
    file = tmp_path / "traces.pb"
    file.write_bytes(SAMPLE)
    assert events_of(run(file, "--compat", "posthog")) == spanmap.map_traces(SAMPLE, compat="posthog")
    assert events_of(run(file, "--privacy")) == spanmap.map_traces(SAMPLE, privacy_mode=True)
    assert events_of(run(file, "--prefix", "db.")) == spanmap.map_traces(SAMPLE, prefixes=["db."])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Name files to map"),
        (["no-such-file.pb"], "no-such-file.pb: no such file"),
        (["no-such-*.pb"], "no such file"),
        (["--sample", "--format", "xml"], "ndjson"),
        (["--sample", "--limit", "max_span=1"], "Known are: max_body_bytes"),
        (["--sample", "--limit", "max_spans=many"], "Write max_spans=N"),
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_folder_without_exports_is_a_wrong_command_line(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "Files in a folder need one of .pb" in result.stderr


def test_without_its_extra_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from spanmap.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'spanmap[cli]'" in done.stderr
