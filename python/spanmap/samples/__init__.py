"""Real trace exports to try things on.

`fastapi-openai.pb`: a FastAPI application that calls OpenAI and a database, exported by the OpenTelemetry Python SDK
1.45 with `opentelemetry-instrumentation-openai-v2` 2.4b0 and the usual web instrumentations. Captured from unmodified
packages against a stand-in for the OpenAI API, then cut to three of the request's traces: 30 spans, five of them
AI calls (four chats, one of which failed, and an embedding), the others the noise around them.
"""

from __future__ import annotations

from importlib import resources


def names() -> list[str]:
    """The samples that ship with this version.

    Example:
        >>> import spanmap
        >>> spanmap.samples.names()
        ['fastapi-openai.pb']
    """
    files = resources.files(__name__).iterdir()
    return sorted(file.name for file in files if file.name.endswith((".pb", ".json")))


def read(name: str) -> bytes:
    """The body of a sample, as an exporter sent it.

    Raises:
        FileNotFoundError: There is no sample of that name; `names` lists them.

    Example:
        >>> import spanmap
        >>> len(spanmap.samples.read("fastapi-openai.pb"))
        28398
    """
    return resources.files(__name__).joinpath(name).read_bytes()
