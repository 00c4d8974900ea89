"""Every captured export through the core and the reference, against what PostHog's own pipeline makes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from compare import difference_from_posthog
from encode import to_json, to_protobuf
from mappers import COMPAT_MODES, MAPPERS, disagreement, run

Json = Any

CORPUS = Path(__file__).parent / "corpus"
ROWS = json.loads((CORPUS / "manifest.json").read_text("utf-8"))
with gzip.open(CORPUS / "posthog-today.jsonl.gz", "rt", encoding="utf-8") as lines:
    TODAY = {row["body"]: row for row in map(json.loads, lines)}


def _row_name(row: Json) -> str:
    return str(row["file"])


def test_manifest_names_every_body_once() -> None:
    files = {str(path.relative_to(CORPUS)) for path in CORPUS.glob("*/*.*")}
    assert sorted(files) == sorted(row["file"] for row in ROWS)
    assert set(TODAY) == files
    assert {row["status"] for row in TODAY.values()} == {200}
    assert len(files) >= 120


@pytest.mark.parametrize("mapper", MAPPERS)
@pytest.mark.parametrize("row", ROWS, ids=_row_name)
def test_events_are_those_of_posthog(row: Json, mapper: str) -> None:
    body = (CORPUS / row["file"]).read_bytes()
    encoding = row["content_encoding"]
    sent = gzip.compress(body) if encoding == "gzip" else body
    outcome = run(mapper, sent, content_type=row["content_type"], content_encoding=encoding, compat="posthog")
    assert outcome.error is None, outcome.message
    found = difference_from_posthog(outcome.events, TODAY[row["file"]]["events"])
    assert found is None, found


@pytest.mark.parametrize("compat", COMPAT_MODES)
@pytest.mark.parametrize("row", ROWS, ids=_row_name)
def test_core_and_reference_agree_in_both_encodings(row: Json, compat: str) -> None:
    body = (CORPUS / row["file"]).read_bytes()
    if row["file"].endswith(".json"):
        bodies = [body, to_protobuf(json.loads(body))]
    else:
        bodies = [body, json.dumps(to_json(body)).encode()]
    outcomes = []
    for sent in bodies:
        core, slow = (run(mapper, sent, compat=compat) for mapper in ("core", "reference"))
        assert core.error is None, core.message
        found = disagreement(core, slow)
        assert found is None, found
        outcomes.append(core)
    found = disagreement(outcomes[0], outcomes[1])
    assert found is None, f"the encodings differ: {found}"
