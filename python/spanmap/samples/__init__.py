"""Real trace exports to try things on.

`fastapi-openai.pb`: a FastAPI application that calls OpenAI and a database, exported by the OpenTelemetry Python SDK
1.45 with `opentelemetry-instrumentation-openai-v2` 2.4b0 and the usual web instrumentations. Captured from unmodified
packages against a stand-in for the OpenAI API, then cut to three of the request's traces: 30 spans, five of them
AI calls (four chats, one of which failed, and an embedding), the others the noise around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def names() -> list[str]:
    """The samples that ship with this version.

    Example:
        >>> import spanmap
        >>> spanmap.samples.names()
        ['fastapi-openai.pb']
    """
    files = _folder().iterdir()
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
    return _folder().joinpath(name).read_bytes()


def _folder() -> Traversable:
    from importlib import resources  # noqa: PLC0415 - it takes longer to load than all else that `import spanmap` loads

    return resources.files(__name__)
