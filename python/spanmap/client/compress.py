"""Compresses the bodies of requests."""

from __future__ import annotations

import gzip
import importlib
import sys
from collections.abc import Callable
from typing import Literal

from spanmap.client.alarms import logger

Compression = Literal["auto", "gzip", "zstd"]

# A body of one packet is not worth the time.
_MIN_BYTES = 1024
# The fastest levels: prompts compress well at any, and zstd takes a fraction of gzip's time
# (benches/delivery.py).
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1


class Compressor:
    """Compresses as the user wants and the server can read.

    Args:
        wanted: `auto` for the best that is there, `gzip`, `zstd`, or None for plain bodies. Where there is no zstd
            library it is gzip, and a warning says so to those who asked for zstd.
    """

    def __init__(self, wanted: Compression | None) -> None:
        self._zstd = _find_zstd() if wanted in {"auto", "zstd"} else None
        if self._zstd is None and wanted == "zstd":
            logger.warning(
                "There is no zstd library, so bodies are compressed with gzip: pip install 'spanmap[client]'"
            )
        self._is_on = wanted is not None

    def compress(self, body: bytes, *, allow_zstd: bool) -> tuple[str | None, bytes]:
        """The body's encoding, and the body."""
        if not self._is_on or len(body) < _MIN_BYTES:
            return None, body
        if allow_zstd and self._zstd is not None:
            return "zstd", self._zstd(body)
        return "gzip", gzip.compress(body, _GZIP_LEVEL, mtime=0)

    def step_down(self, refused: str | None) -> bool:
        """Gives up the encoding that the server did not read. Returns whether there was one."""
        if refused == "zstd":
            self._zstd = None
        elif refused == "gzip":
            self._is_on = False
        return refused is not None


def _find_zstd() -> Callable[[bytes], bytes] | None:
    try:
        zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        return None

    def compress(body: bytes) -> bytes:
        compressed: bytes = zstd.compress(body, _ZSTD_LEVEL)
        return compressed

    return compress
