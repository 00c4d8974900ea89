"""The loads that are measured, and the proof that all mappers make the same events of them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests/corpus"
sys.path[:0] = [str(ROOT / "tests")]

import spanmap  # noqa: E402
from compare import difference  # noqa: E402
from spanmap import reference  # noqa: E402
from spanmap.bench import plain_python  # noqa: E402

EXPORTS = ("500-mixed", "100-chat")


@dataclass(frozen=True)
class Load:
    """Requests that are mapped one after the other, and whether the plain rivals make the same events of them."""

    name: str
    bodies: list[bytes]
    is_fair_to_rivals: bool


def read(name: str) -> bytes:
    """The one request of a bench export."""
    return (CORPUS / f"bench-2.4b0-{name}/001.pb").read_bytes()


def loads() -> list[Load]:
    """The bench exports, one request each, and the whole corpus of captures."""
    for name in EXPORTS:
        _check(name, read(name))
    corpus = [path.read_bytes() for path in sorted(CORPUS.glob("*/*.pb")) + sorted(CORPUS.glob("*/*.json"))]
    return [*(Load(name, [read(name)], True) for name in EXPORTS), Load("corpus", corpus, False)]


def _check(name: str, body: bytes) -> None:
    mapper = spanmap.Mapper(compat="posthog")
    events = mapper.map_traces(body)
    made: dict[str, Any] = {
        "core as JSON": json.loads(mapper.map_traces_json(body)),
        "plain Python": plain_python.map_traces(body),
        "plain Python as JSON": json.loads(plain_python.map_traces_json(body)),
        "reference": reference.Mapper(compat="posthog").map_traces(body),
    }
    for rival, theirs in made.items():
        found = difference(theirs, events)
        if found is not None:
            raise SystemExit(f"{name}: the {rival} does not make the same events: {found}")
