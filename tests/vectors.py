"""Reads the conformance vectors: cases by area in `vectors/*.json`, random ones in `vectors/random.jsonl.gz`."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compare import expand
from encode import NotCanonicalError, to_json, to_protobuf

Json = Any

FOLDER = Path(__file__).parent / "vectors"
CONTENT_TYPES = {
    "json": "application/json",
    "protobuf": "application/x-protobuf",
    "protobuf-raw": "application/x-protobuf",
}


@dataclass(frozen=True)
class Vector:
    """One case.

    Attributes:
        name: `<area>/<name>`, unique.
        transport: The encoding that the case is about: `json`, `protobuf`, or `protobuf-raw` for damaged bytes.
        request: The request as OTLP/JSON; None where only `body` says what was sent.
        status: What PostHog's endpoint answers.
        headers: Lower-case names; only where the case is about headers.
        options: Of the mapper. The cases in `own.json`, which spanmap's own tests found, state theirs.
    """

    name: str
    signal: str
    transport: str
    request: Json
    body: bytes
    status: int
    events: list[Json]
    headers: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=lambda: {"compat": "posthog"})

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", CONTENT_TYPES[self.transport])

    def bodies(self) -> dict[str, bytes]:
        """The case in every encoding that can express it, by content type."""
        bodies = {self.content_type: self.body}
        try:
            if self.transport == "json":
                message = to_protobuf(expand(self.request))
                # A request without any member is zero bytes of protobuf, and an empty body is refused.
                if message:
                    bodies["application/x-protobuf"] = message
            else:
                bodies["application/json"] = json.dumps(to_json(self.body)).encode()
        except NotCanonicalError:
            pass
        return bodies


def _vector(area: str, case: Json) -> Vector:
    if "request_pb_base64" in case:
        body = base64.b64decode(case["request_pb_base64"])
    elif "request_text" in case:
        body = expand(case["request_text"]).encode()
    else:
        body = json.dumps(expand(case["request"]), ensure_ascii=False).encode()
    return Vector(
        name=f"{area}/{case['name']}",
        signal=case["signal"],
        transport=case["transport"],
        request=case.get("request"),
        body=body,
        status=case["expected"]["status"],
        events=case["expected"]["events"],
        headers=case.get("headers", {}),
        options=case.get("options", {"compat": "posthog"}),
    )


def load() -> list[Vector]:
    """Every case of every area, in the order of the files."""
    files = sorted(FOLDER.glob("*.json"))
    return [_vector(path.stem, case) for path in files for case in json.loads(path.read_text("utf-8"))]


def load_random() -> list[Vector]:
    """The random requests; all are accepted."""
    with gzip.open(FOLDER / "random.jsonl.gz", "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return [
        Vector(
            name=f"random/{case['id']}",
            signal="traces",
            transport="json",
            request=case["request"],
            body=json.dumps(case["request"], ensure_ascii=False).encode(),
            status=200,
            events=case["events"],
        )
        for case in cases
    ]
