"""Content encodings: gzip, deflate (zlib-wrapped or raw) and zstd, each within the caps.

RFC 9110 section 8.4 names the encodings; RFC 1952 allows several gzip members in a row, RFC 8878 several zstd
frames.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import zstandard

from .refusal import damage, over_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..limits import Limits

# Compressed bytes fed at once: small enough that even the best possible ratio stays far below the caps in
# between.
STEP = 1024
# Bodies that stay below this are never refused for their ratio.
RATIO_FLOOR = 1 << 20


def decompress(body: bytes, content_encoding: str | None, limits: Limits) -> bytes:
    """The body without its content encoding.

    Raises:
        DecodeError: The encoding is unknown, or the body is not what it says.
        LimitError: The body is longer than the caps allow, before or after.
    """
    if len(body) > limits.max_body_bytes:
        raise over_limit("max_body_bytes", f"has {len(body)} bytes, more than {limits.max_body_bytes}")
    encoding = (content_encoding or "").strip().lower()
    if encoding in ("", "identity"):
        chunks = iter([body])
    elif encoding in ("gzip", "x-gzip"):
        chunks = _inflate(body, zlib.MAX_WBITS | 16)
    elif encoding == "deflate":
        chunks = _inflate(body, zlib.MAX_WBITS if _is_zlib(body) else -zlib.MAX_WBITS)
    elif encoding == "zstd":
        chunks = _zstd(body)
    else:
        raise damage(
            f"has the unknown content encoding {content_encoding!r}",
            "Send it as gzip, deflate, zstd or identity.",
        )
    compressed = encoding not in ("", "identity")
    plain = bytearray()
    try:
        for chunk in chunks:
            plain += chunk
            if len(plain) > limits.max_decompressed_bytes:
                raise over_limit(
                    "max_decompressed_bytes", f"decompresses to over {limits.max_decompressed_bytes} bytes"
                )
            if compressed and len(plain) > max(RATIO_FLOOR, limits.max_decompression_ratio * len(body)):
                what = f"decompresses to over {limits.max_decompression_ratio} times its size"
                raise over_limit("max_decompression_ratio", what)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise damage(
            f"is not sound {encoding}: {error}",
            "Check that the Content-Encoding header tells what the body is.",
        ) from error
    return bytes(plain)


def _is_zlib(body: bytes) -> bool:
    """Whether a zlib header begins the body (RFC 1950): method 8, a window up to 32 KiB, a sum by 31."""
    return len(body) >= 2 and body[0] & 15 == 8 and body[0] >> 4 <= 7 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, window_bits: int) -> Iterator[bytes]:
    """Inflates one stream, or for gzip all members up to the end of the body."""
    at = 0
    while at < len(body):
        stream = zlib.decompressobj(window_bits)
        while at < len(body) and not stream.eof:
            step = body[at : at + STEP]
            yield stream.decompress(step)
            at += len(step) - len(stream.unused_data)
        if not stream.eof:
            raise EOFError("the compressed stream is cut short")
        if at < len(body) and window_bits <= zlib.MAX_WBITS:
            raise EOFError("bytes follow the compressed stream")


def _zstd(body: bytes) -> Iterator[bytes]:
    """Decompresses all frames up to the end of the body."""
    at = 0
    while at < len(body):
        frame = zstandard.ZstdDecompressor().decompressobj()
        while at < len(body) and not frame.eof:
            step = body[at : at + STEP]
            yield frame.decompress(step)
            at += len(step) - len(frame.unused_data)
        if not frame.eof:
            raise EOFError("the compressed frame is cut short")
