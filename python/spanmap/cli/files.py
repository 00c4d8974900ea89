"""Finds export requests in files.

Comes in: what OTLP exporters and the OpenTelemetry Collector's file exporter write: one request as protobuf or JSON;
one JSON request a line; protobuf messages behind four bytes of length, big end first
(https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter). Any of them
compressed with gzip or zstd. Goes out: one request at a time. What a file holds is told by its first bytes, whatever
its name. Refuses: files that end in the middle of a request, and requests over the caps.
"""

from __future__ import annotations

import glob
import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from spanmap import SpanmapError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STDIN = "-"
# What is taken from a folder. A file that is named is read whatever its suffix.
SUFFIXES = (".pb", ".json", ".jsonl", ".ndjson", ".proto", ".binpb")
COMPRESSED_SUFFIXES = (".gz", ".zst")

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LENGTH_BYTES = 4
# A protobuf message begins with a tag, and no tag is below 8: field numbers begin at 1. A length of less than 128 MiB
# begins with a byte below 8.
_LOWEST_TAG = 8


class FileError(SpanmapError):
    """A file that cannot be read as export requests."""


@dataclass(frozen=True)
class Request:
    """One export request, and where it stands."""

    body: bytes
    where: str
    content_encoding: str | None = None


def find_files(names: Iterable[str]) -> list[str]:
    """The files that the names stand for: files, folders (searched to the bottom), globs, and `-` for standard input.

    Raises:
        FileError: A name stands for nothing.
    """
    return [file for name in names for file in _expand(name)]


def _expand(name: str) -> list[str]:
    if name == STDIN or Path(name).is_file():
        return [name]
    if Path(name).is_dir():
        files = sorted(str(path) for path in Path(name).rglob("*") if path.is_file() and _is_export(path.name))
        if not files:
            raise FileError(f"{name}: no export in this folder. Files in a folder need one of {', '.join(SUFFIXES)}.")
        return files
    files = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())
    if not files:
        raise FileError(f"{name}: no such file. Name a file, a folder, a glob, or - for standard input.")
    return files


def _is_export(name: str) -> bool:
    for suffix in COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name.endswith(SUFFIXES)


def read_requests(file: str, max_bytes: int) -> Iterator[Request]:
    """The requests of a file, one at a time.

    Args:
        file: A path, or `-` for standard input.
        max_bytes: The most bytes that one request may have.

    Raises:
        FileError: The file cannot be read, is damaged, or holds a request of more bytes.
    """
    name = "standard input" if file == STDIN else file
    try:
        if file == STDIN:
            yield from _split(inflate(cast("io.BufferedReader", sys.stdin.buffer)), name, max_bytes)
        else:
            with Path(file).open("rb") as stream:
                yield from _split(inflate(stream), name, max_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise FileError(f"{name}: the compressed data is damaged ({error}). Compress the file again.") from error
    except OSError as error:
        raise FileError(f"{name}: {error.strerror or error}.") from error


def inflate(stream: io.BufferedReader) -> io.BufferedReader:
    """The stream without its gzip or zstd, if it begins with either."""
    encoding = _compression(stream.peek(len(_ZSTD_MAGIC)))
    if encoding == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=stream))
    if encoding == "zstd":
        return io.BufferedReader(zstd.ZstdFile(stream))
    return stream


def _compression(head: bytes) -> str | None:
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    return "zstd" if head.startswith(_ZSTD_MAGIC) else None


def _split(stream: io.BufferedReader, name: str, max_bytes: int) -> Iterator[Request]:
    head = stream.peek(1)
    if head and head[0] < _LOWEST_TAG:
        yield from _read_messages(stream, name, max_bytes)
        return
    first = stream.readline(max_bytes + 1)
    # JSON that is laid out over several lines has no object that ends on the first one.
    if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and first.rstrip().endswith(b"}"):
        yield from _read_lines(first, stream, name, max_bytes)
        return
    body = first + stream.read(max_bytes + 1 - len(first))
    yield Request(_check_size(body, name, max_bytes), name)


def _read_lines(first: bytes, stream: io.BufferedReader, name: str, max_bytes: int) -> Iterator[Request]:
    line, number = first, 1
    while line:
        if line.strip():
            where = f"{name}, line {number}"
            yield Request(_check_size(line, where, max_bytes), where)
        line, number = stream.readline(max_bytes + 1), number + 1


def _read_messages(stream: io.BufferedReader, name: str, max_bytes: int) -> Iterator[Request]:
    number = 0
    while prefix := stream.read(_LENGTH_BYTES):
        number += 1
        where = f"{name}, message {number}"
        length = int.from_bytes(prefix, "big")
        if length > max_bytes:
            raise FileError(_over_cap(where, f"{length:,}", max_bytes))
        message = stream.read(length)
        if len(prefix) < _LENGTH_BYTES or len(message) < length:
            raise FileError(f"{where}: the file ends in the middle of it. Was it copied while it was being written?")
        # The file exporter compresses each message by itself.
        yield Request(message, where, _compression(message))


def _check_size(body: bytes, where: str, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise FileError(_over_cap(where, f"over {max_bytes:,}", max_bytes))
    return body


def _over_cap(where: str, size: str, max_bytes: int) -> str:
    return f"{where}: {size} bytes, and the cap is {max_bytes:,}. Raise it with --limit max_decompressed_bytes=N."
