"""The binding, step by step, for comparing one commit with another; ratios to rivals are the business of `ratios.py`.

pytest benches/bench_map.py --benchmark-autosave
pytest benches/bench_map.py --benchmark-compare --benchmark-compare-fail=median:10%
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import exports
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import spanmap

SAMPLE = spanmap.samples.read("fastapi-openai.pb")
ONE_SPAN = (exports.CORPUS / "otel-openai-v2-2.4b0-latest-stream/001.pb").read_bytes()
BODIES = {"one-chat": ONE_SPAN, "fastapi": SAMPLE} | {name: exports.read(name) for name in exports.EXPORTS}


@pytest.fixture(params=BODIES)
def body(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> bytes:
    benchmark.group = request.param
    return BODIES[request.param]


@pytest.mark.parametrize("compat", ["best", "posthog"])
def bench_json(benchmark: BenchmarkFixture, body: bytes, compat: Any) -> None:
    """From the bytes of a request to the bytes of its events."""
    assert benchmark(spanmap.Mapper(compat=compat).map_traces_json, body)


@pytest.mark.parametrize("compat", ["best", "posthog"])
def bench_dicts(benchmark: BenchmarkFixture, body: bytes, compat: Any) -> None:
    """From the bytes of a request to dicts."""
    assert benchmark(spanmap.Mapper(compat=compat).map_traces, body)


def bench_events(benchmark: BenchmarkFixture, body: bytes) -> None:
    """From the bytes of a request to events that stay in Rust."""
    assert benchmark(spanmap.Mapper().map_batch, body)


def bench_objects(benchmark: BenchmarkFixture, body: bytes) -> None:
    """From events in Rust to dicts."""
    mapper = spanmap.Mapper()
    made = benchmark.pedantic(
        lambda batch: batch.events, setup=lambda: ((mapper.map_batch(body),), {}), rounds=50, warmup_rounds=3
    )
    assert made


def bench_explain(benchmark: BenchmarkFixture, body: bytes) -> None:
    """The same with the reason of every property."""
    assert benchmark(spanmap.Mapper().explain, body)


def bench_import(benchmark: BenchmarkFixture) -> None:
    """A fresh interpreter that imports spanmap and ends, beside one that imports nothing (`bench_interpreter`)."""
    benchmark.group = "import"
    benchmark.pedantic(_run_python, args=("import spanmap",), rounds=20, warmup_rounds=2)


def bench_interpreter(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "import"
    benchmark.pedantic(_run_python, args=("pass",), rounds=20, warmup_rounds=2)


def _run_python(code: str) -> None:
    subprocess.run([sys.executable, "-I", "-c", code], check=True)  # noqa: S603 - this interpreter, with code from this file
