"""The Python face of the core: what goes in, what comes out, how it refuses, and that threads may share a mapper."""

from __future__ import annotations

import dataclasses
import doctest
import gzip
import json
import pickle
import re
import subprocess
import sys
import threading
import typing
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard

import spanmap
from posthog_server import PostHogServer
from spanmap import _core, errors, explanation, limits, options, samples

SAMPLE = spanmap.samples.read("fastapi-openai.pb")
ROOT = Path(__file__).parent.parent

# One AI span and one that is none, as OTLP/JSON.
TWO_SPANS = json.dumps(
    {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": "b7ad6b7169203331",
                                "name": "chat gpt-4o",
                                "startTimeUnixNano": "1704067200000000000",
                                "attributes": [
                                    {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                    {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
                                    {"key": "ratio", "value": {"doubleValue": "NaN"}},
                                ],
                            },
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": "00f067aa0ba902b7",
                                "name": "GET /",
                            },
                        ]
                    }
                ]
            }
        ]
    }
).encode()


def with_bad_span_id(body: bytes) -> bytes:
    return body.replace(b"00f067aa0ba902b7", b"not hexadecimal!")


@pytest.mark.parametrize("read", [bytes, bytearray, memoryview])
def test_every_type_that_holds_bytes_is_read(read: Callable[[bytes], Any]) -> None:
    assert spanmap.map_traces(read(SAMPLE)) == spanmap.map_traces(SAMPLE)


def test_a_view_with_gaps_is_read_as_its_bytes() -> None:
    spread = bytearray(2 * len(SAMPLE))
    spread[::2] = SAMPLE
    assert spanmap.map_traces(memoryview(spread)[::2]) == spanmap.map_traces(SAMPLE)


@pytest.mark.parametrize("body", ["{}", None, 1, [SAMPLE]])
def test_other_types_are_refused_by_name(body: Any) -> None:
    with pytest.raises(spanmap.InputTypeError, match=type(body).__name__) as caught:
        spanmap.map_traces(body)
    assert isinstance(caught.value, TypeError)
    assert "Pass the request as bytes" in str(caught.value)


@pytest.mark.parametrize(
    ("content_encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress), ("identity", bytes)],
)
def test_content_encodings_are_undone(content_encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert spanmap.map_traces(compress(SAMPLE), content_encoding=content_encoding) == spanmap.map_traces(SAMPLE)


def test_json_and_objects_say_the_same() -> None:
    for body in (SAMPLE, TWO_SPANS):
        for compat in ("posthog", "best"):
            mapper = spanmap.Mapper(compat=compat)
            assert json.loads(mapper.map_traces_json(body)) == mapper.map_traces(body)


def test_json_and_objects_have_the_same_order() -> None:
    mapper = spanmap.Mapper()
    assert json.dumps(json.loads(mapper.map_traces_json(SAMPLE))) == json.dumps(mapper.map_traces(SAMPLE))


@pytest.mark.parametrize(
    "content",
    [
        '"\\ud800 alone"',
        "[" * 100 + "]" * 100,
        '{"a": 1, "a": 2}',
        "123456789012345678901234567890",
        '{"n": -123456789012345678901234567890, "e": 1e-7, "z": -0.0, "big": 1e300}',
        '["\\u0000", "\\ud83d\\ude00", "\u00e9"]',
    ],
)
def test_json_in_attributes_becomes_what_json_loads_makes_of_it(content: str) -> None:
    body = TWO_SPANS.replace(b"gen_ai.request.model", b"gen_ai.input.messages").replace(
        b'"gpt-4o"', json.dumps(content).encode()
    )
    mapper = spanmap.Mapper(compat="posthog")
    events = mapper.map_traces(body)
    assert repr(json.loads(mapper.map_traces_json(body))) == repr(events)
    assert events[0]["properties"]["$ai_input"] == json.loads(content.replace("\\ud800", "\\ufffd"))


def test_json_deeper_than_the_fast_parser_goes_is_read_all_the_same() -> None:
    content = "[" * 300 + "]" * 300
    body = TWO_SPANS.replace(b"gen_ai.request.model", b"gen_ai.input.messages").replace(b"gpt-4o", content.encode())
    (event,) = spanmap.map_traces(body, compat="posthog", limits={"max_json_nesting": 400})
    assert event["properties"]["$ai_input"] == json.loads(content)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    length = len(content)
    varint = bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *varint, length]) + content


@pytest.mark.parametrize("compat", ["best", "posthog"])
@pytest.mark.parametrize("as_json", [False, True], ids=["dicts", "json"])
def test_the_deepest_nesting_that_limits_allow_fits_on_a_small_stack(compat: Any, as_json: bool) -> None:
    deepest = {"max_nesting": 500, "max_json_nesting": 500}
    mapper = spanmap.Mapper(compat=compat, limits=deepest)
    value = b"\x18\x01"
    for _ in range(500):
        value = _field(5, _field(1, value))
    text = _field(1, b"[" * 500 + b"]" * 500)
    attributes = [_field(1, b"gen_ai.input.messages") + _field(2, text), _field(1, b"deep") + _field(2, value)]
    span = _field(5, b"chat") + b"".join(_field(9, attribute) for attribute in attributes)
    body = _field(1, _field(2, _field(2, span)))
    failures: list[BaseException] = []

    def map_it() -> None:
        try:
            assert (mapper.map_traces_json if as_json else mapper.map_traces)(body)
        except BaseException as failure:
            failures.append(failure)

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=map_it)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert not failures


@pytest.mark.parametrize("cap", ["max_nesting", "max_json_nesting"])
def test_nesting_that_would_not_fit_on_the_stack_is_refused(cap: str) -> None:
    with pytest.raises(ValueError, match=f"limits.{cap} is 501. Pass at most 500"):
        spanmap.Mapper(limits={cap: 501})


def test_a_batch_accounts_for_every_span() -> None:
    mapper = spanmap.Mapper(compat="posthog")
    batch = mapper.map_batch(TWO_SPANS)
    assert batch.span_count == 2
    assert [event["event"] for event in batch.events] == ["$ai_generation"]
    (drop,) = batch.drops
    assert (drop.reason, drop.trace_id, drop.span_id, drop.name) == (
        "no_ai_prefix",
        "0af7651916cd43dd8448eb211c80319c",
        "00f067aa0ba902b7",
        "GET /",
    )
    assert batch.errors == []
    assert batch.events is batch.events
    assert batch.events == mapper.map_traces(TWO_SPANS)
    assert batch.to_json() == mapper.map_traces_json(TWO_SPANS)
    lines = batch.to_json_lines()
    assert lines.endswith(b"\n")
    assert [json.loads(line) for line in lines.splitlines()] == batch.events
    assert drop == mapper.map_batch(TWO_SPANS).drops[0]
    assert repr(batch) == "<Batch of 2 spans: 1 events, 1 drops>"
    assert "GET /" in repr(drop)


def test_a_batch_outlives_its_mapper_and_body() -> None:
    batch = spanmap.Mapper().map_batch(bytes(bytearray(TWO_SPANS)))
    chunks = spanmap.Mapper().iter_traces(bytes(bytearray(TWO_SPANS)))
    assert batch.events == next(chunks)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 1000])
def test_chunks_are_the_events_in_order(chunk_size: int) -> None:
    mapper = spanmap.Mapper()
    chunks = list(mapper.iter_traces(SAMPLE, chunk_size=chunk_size))
    assert [event for chunk in chunks for event in chunk] == mapper.map_traces(SAMPLE)
    assert {len(chunk) for chunk in chunks[:-1]} <= {chunk_size}
    assert 0 < len(chunks[-1]) <= chunk_size


def test_a_chunk_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        spanmap.Mapper().iter_traces(SAMPLE, chunk_size=0)


def test_one_bad_span_fails_the_request_or_is_left_out() -> None:
    bad = with_bad_span_id(TWO_SPANS)
    with pytest.raises(spanmap.DecodeError) as caught:
        spanmap.map_traces(bad)
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.stage, error.path) == ("wire", "resource_spans[0].scope_spans[0].spans[1].span_id")
    assert bad[error.offset :].startswith(b'"not hexadecimal!"')
    assert str(error).startswith(error.path)
    assert str(error.offset) in str(error)

    batch = spanmap.Mapper(on_error="skip").map_batch(bad)
    assert len(batch.events) == 1
    assert [drop.reason for drop in batch.drops] == ["unreadable"]
    (reported,) = batch.errors
    assert (type(reported), str(reported)) == (type(error), str(error))


@pytest.mark.parametrize("text", ["\x01" * 100_000, '"\\\n' * 50_000, "é\x1f" * 70_000, "plain " * 100_000])
def test_json_grows_as_far_as_its_escapes_need(text: str) -> None:
    told = json.dumps(text).encode()
    body = TWO_SPANS.replace(b'"gpt-4o"', told).replace(b"gen_ai.request.model", b"app.text")
    mapper = spanmap.Mapper()
    batch = mapper.map_batch(body)
    assert json.loads(batch.to_json()) == json.loads(mapper.map_traces_json(body)) == batch.events
    assert [json.loads(line) for line in batch.to_json_lines().splitlines()] == batch.events
    assert batch.events[0]["properties"]["app.text"] == text


def test_json_of_many_megabytes_is_that_of_its_parts() -> None:
    copies = 8_000_000 // len(spanmap.map_traces_json(SAMPLE)) + 100
    mapper = spanmap.Mapper(limits={"max_body_bytes": 1 << 30})
    output = mapper.map_traces_json(SAMPLE * copies)
    assert len(output) > 8 << 20
    assert output == mapper.map_batch(SAMPLE * copies).to_json()


def test_json_lines_of_no_events_are_empty() -> None:
    assert spanmap.Mapper().map_batch(b'{"resourceSpans": []}').to_json_lines() == b""


OUT_OF_MEMORY = """
import json, re, resource, spanmap
from pathlib import Path

text = json.dumps("\\x01" * (20 << 20)).encode()
attribute = b'{"key": "gen_ai.prompt", "value": {"stringValue": %s}}' % text
body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [%s]}]}]}]}' % attribute
mapper = spanmap.Mapper(compat="posthog", limits={"max_body_bytes": 1 << 30, "max_decompressed_bytes": 1 << 30})
size = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (80 << 20),) * 2)
try:
    mapper.map_traces_json(body)
except MemoryError:
    print(mapper.map_traces_json(b'{"resourceSpans": []}').decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_json_that_finds_no_room_is_a_memory_error_and_harms_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_errors_travel_between_processes() -> None:
    with pytest.raises(spanmap.DecodeError) as caught:
        spanmap.map_traces(b"")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (type(copy), str(copy), vars(copy)) == (type(caught.value), str(caught.value), vars(caught.value))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"content_type": "text/plain"}, "application/x-protobuf"),
        ({"content_encoding": "br"}, "gzip"),
        ({"content_type": "application/json"}, "JSON"),
    ],
)
def test_a_refusal_says_what_is_accepted(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(spanmap.DecodeError, match=says):
        spanmap.map_traces(SAMPLE, **arguments)


@pytest.mark.parametrize("limits", [{"max_spans": 1}, spanmap.Limits(max_spans=1)])
def test_a_cap_is_named_by_its_error(limits: Any) -> None:
    with pytest.raises(spanmap.LimitError, match=re.escape("limits.max_spans")):
        spanmap.map_traces(TWO_SPANS, limits=limits)
    assert spanmap.map_traces(TWO_SPANS, limits={"max_spans": 2})


def test_the_documented_limits_are_those_of_the_core() -> None:
    assert dataclasses.asdict(spanmap.Limits()) == _core.default_limits()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"compat": "mixpanel"}, '"mixpanel". Pass "best" or "posthog"'),
        ({"on_error": "ignore"}, '"ignore". Pass "raise" or "skip"'),
        ({"limits": {"max_span": 1}}, '"max_span". Known are: max_body_bytes, '),
        ({"limits": {"max_spans": -1}}, "limits.max_spans is -1. Pass an integer"),
        ({"limits": spanmap.Limits(max_spans="many")}, "limits.max_spans is 'many'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_options_are_refused_with_the_choices(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        spanmap.Mapper(**arguments)


def test_one_string_is_not_a_list_of_prefixes() -> None:
    with pytest.raises(TypeError):
        spanmap.Mapper(prefixes="gen_ai.")


def test_prefixes_decide_what_is_kept() -> None:
    assert spanmap.map_traces(TWO_SPANS, compat="posthog", prefixes=["llm."]) == []
    assert len(spanmap.map_traces(TWO_SPANS, compat="posthog", prefixes=["rat"])) == 1


def test_resource_prefixes_decide_what_is_dropped() -> None:
    assert "process.owner" not in spanmap.map_traces(with_resource())[0]["properties"]
    properties = spanmap.map_traces(with_resource(), drop_resource_prefixes=[])[0]["properties"]
    assert properties["process.owner"] == "nobody"


def with_resource() -> bytes:
    request = json.loads(TWO_SPANS)
    request["resourceSpans"][0]["resource"] = {
        "attributes": [{"key": "process.owner", "value": {"stringValue": "nobody"}}]
    }
    return json.dumps(request).encode()


def test_privacy_mode_takes_the_content_out() -> None:
    secret = "What is the capital of France?"  # noqa: S105
    assert secret in json.dumps(spanmap.map_traces(SAMPLE))
    private = spanmap.map_traces(SAMPLE, privacy_mode=True)
    assert secret not in json.dumps(private)
    assert private[0]["properties"]["$ai_input_tokens"] > 0


def test_numbers_that_json_lacks_are_null_for_both_sinks() -> None:
    (event,) = spanmap.map_traces(TWO_SPANS, compat="posthog")
    assert event["properties"]["ratio"] is None


def test_counters_add_up_over_requests_and_leave_out_those_that_raised() -> None:
    mapper = spanmap.Mapper(on_error="skip")
    assert mapper.counters == {"spans": 0, "events": 0, "dropped": {}}
    mapper.map_traces(TWO_SPANS)
    mapper.map_traces_json(with_bad_span_id(TWO_SPANS))
    list(mapper.iter_traces(TWO_SPANS))
    with pytest.raises(spanmap.DecodeError):
        mapper.map_batch(TWO_SPANS[:-1])
    assert mapper.counters == {"spans": 6, "events": 3, "dropped": {"no_ai_prefix": 2, "unreadable": 1}}


def test_threads_that_share_a_mapper_get_what_one_thread_gets() -> None:
    mapper = spanmap.Mapper()
    expected = [mapper.map_traces(SAMPLE), mapper.map_traces(TWO_SPANS)]
    encoded = mapper.map_traces_json(SAMPLE)
    threads, rounds = 8, 25
    start = threading.Barrier(threads)

    def work(_: int) -> bool:
        start.wait()
        return all(
            [mapper.map_traces(SAMPLE), mapper.map_traces(bytearray(TWO_SPANS))] == expected
            and mapper.map_traces_json(SAMPLE) == encoded
            for _ in range(rounds)
        )

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(work, range(threads))) == [True] * threads
    # Each round maps the sample twice and the two spans once; so did the lines before the threads began.
    sample = spanmap.Mapper()
    sample.map_traces(SAMPLE)
    mapped = threads * rounds + 1
    assert mapper.counters["spans"] == mapped * (2 * sample.counters["spans"] + 2)
    assert mapper.counters["events"] == mapped * (2 * sample.counters["events"] + 1)


def test_threads_that_share_an_iterator_get_each_event_once() -> None:
    mapper = spanmap.Mapper()
    for _ in range(20):
        chunks = mapper.iter_traces(SAMPLE, chunk_size=1)
        with ThreadPoolExecutor(4) as pool:
            parts = pool.map(lambda _, chunks=chunks: [event["uuid"] for (event,) in chunks], range(4))
        uuids = [uuid for part in parts for uuid in part]
        assert sorted(uuids) == sorted(event["uuid"] for event in mapper.map_traces(SAMPLE))


def test_events_are_the_callers_own() -> None:
    mapper = spanmap.Mapper()
    (event,) = mapper.map_traces(TWO_SPANS)
    event["properties"].clear()
    assert mapper.map_traces(TWO_SPANS)[0]["properties"]


def documented() -> Iterator[tuple[ModuleType, doctest.DocTest]]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in (spanmap, errors, explanation, limits, options, samples):
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield module, test


def test_every_example_in_the_docstrings_holds() -> None:
    names = set()
    for _, test in documented():
        failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        assert failed == 0, test.name
        assert tried > 0
        names.add(test.name)
    assert {"spanmap", "spanmap.map_traces", "spanmap.Mapper.map_batch", "spanmap.Batch"} <= names


def test_importing_loads_nothing_that_takes_long() -> None:
    code = "import sys; before = {*sys.modules}; import spanmap; print(*sys.modules.keys() - before)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "spanmap" in loaded
    assert loaded - {"spanmap"} <= sys.stdlib_module_names
    assert loaded & {"dataclasses", "inspect", "json", "pathlib", "tempfile", "tomllib"} == set()
    assert "importlib.resources" not in done.stdout


def test_every_public_name_is_there_when_it_is_asked_for() -> None:
    assert set(spanmap.__all__) <= set(dir(spanmap))
    with pytest.raises(AttributeError, match="has no attribute 'Limit'"):
        spanmap.Limit  # type: ignore[attr-defined]  # noqa: B018
    assert typing.get_type_hints(spanmap.map_traces)["options"] == typing.Unpack[spanmap.MapperOptions]
    assert spanmap.Limits in typing.get_args(typing.get_type_hints(spanmap.MapperOptions)["limits"])


def test_every_public_name_is_explained() -> None:
    for name in spanmap.__all__:
        thing = getattr(spanmap, name)
        assert thing.__doc__, name
        for attribute in vars(thing) if isinstance(thing, type) else ():
            explained = getattr(thing, attribute).__doc__ or f"{attribute}:" in thing.__doc__
            assert attribute.startswith("_") or explained, f"{name}.{attribute}"


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_the_examples_in_the_documents_run(
    page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostHogServer() as server:
        monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
        monkeypatch.setenv("POSTHOG_HOST", server.url)
        run_examples(page)
        assert server.accepted
    assert "$ai_generation" in capsys.readouterr().out


def run_examples(page: str) -> None:
    blocks = python_blocks(ROOT / page)
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)  # noqa: S102
