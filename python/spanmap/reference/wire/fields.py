"""The protobuf fields that spanmap reads, and a plain walk over their tags.

Google's runtime decides what a message means: what merges, what is last. It cannot decide what damage is: it
treats a known field with a wrong wire type as unknown, and it reads fields that spanmap does not know
(`Resource.entity_refs`, `AnyValue.string_value_strindex`), so that damage inside them, or their mere presence
in a oneof, would count. This module therefore checks every byte first and hands on only the fields of its own
table. The rules are those of prost, the decoder of PostHog's capture service, and of
<https://protobuf.dev/programming-guides/encoding/>.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..limits import Limits
from .refusal import damage, over_limit

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)

RESEND = "Fix the exporter or the transport, and send the body again."


@dataclass(frozen=True)
class Field:
    """A field that spanmap reads. `message` names the type of a sub-message; `text` marks a string."""

    name: str
    wire_type: int
    message: str = ""
    text: bool = False
    repeated: bool = False


def _message(name: str, message: str) -> Field:
    return Field(name, LENGTH, message=message)


def _messages(name: str, message: str) -> Field:
    return Field(name, LENGTH, message=message, repeated=True)


def _text(name: str) -> Field:
    return Field(name, LENGTH, text=True)


# opentelemetry-proto 1.x: trace/v1/trace.proto, logs/v1/logs.proto, common/v1/common.proto,
# resource/v1/resource.proto.
MESSAGES: dict[str, dict[int, Field]] = {
    "ExportTraceServiceRequest": {1: _messages("resource_spans", "ResourceSpans")},
    "ResourceSpans": {
        1: _message("resource", "Resource"),
        2: _messages("scope_spans", "ScopeSpans"),
        3: _text("schema_url"),
    },
    "Resource": {1: _messages("attributes", "KeyValue"), 2: Field("dropped_attributes_count", VARINT)},
    "ScopeSpans": {
        1: _message("scope", "InstrumentationScope"),
        2: _messages("spans", "Span"),
        3: _text("schema_url"),
    },
    "InstrumentationScope": {
        1: _text("name"),
        2: _text("version"),
        3: _messages("attributes", "KeyValue"),
        4: Field("dropped_attributes_count", VARINT),
    },
    "Span": {
        1: Field("trace_id", LENGTH),
        2: Field("span_id", LENGTH),
        3: _text("trace_state"),
        4: Field("parent_span_id", LENGTH),
        5: _text("name"),
        6: Field("kind", VARINT),
        7: Field("start_time_unix_nano", FIXED64),
        8: Field("end_time_unix_nano", FIXED64),
        9: _messages("attributes", "KeyValue"),
        10: Field("dropped_attributes_count", VARINT),
        11: _messages("events", "Event"),
        12: Field("dropped_events_count", VARINT),
        13: _messages("links", "Link"),
        14: Field("dropped_links_count", VARINT),
        15: _message("status", "Status"),
        16: Field("flags", FIXED32),
    },
    "Event": {
        1: Field("time_unix_nano", FIXED64),
        2: _text("name"),
        3: _messages("attributes", "KeyValue"),
        4: Field("dropped_attributes_count", VARINT),
    },
    "Link": {
        1: Field("trace_id", LENGTH),
        2: Field("span_id", LENGTH),
        3: _text("trace_state"),
        4: _messages("attributes", "KeyValue"),
        5: Field("dropped_attributes_count", VARINT),
        6: Field("flags", FIXED32),
    },
    "Status": {2: _text("message"), 3: Field("code", VARINT)},
    "ExportLogsServiceRequest": {1: _messages("resource_logs", "ResourceLogs")},
    "ResourceLogs": {
        1: _message("resource", "Resource"),
        2: _messages("scope_logs", "ScopeLogs"),
        3: _text("schema_url"),
    },
    "ScopeLogs": {
        1: _message("scope", "InstrumentationScope"),
        2: _messages("log_records", "LogRecord"),
        3: _text("schema_url"),
    },
    "LogRecord": {
        1: Field("time_unix_nano", FIXED64),
        2: Field("severity_number", VARINT),
        3: _text("severity_text"),
        5: _message("body", "AnyValue"),
        6: _messages("attributes", "KeyValue"),
        7: Field("dropped_attributes_count", VARINT),
        8: Field("flags", FIXED32),
        9: Field("trace_id", LENGTH),
        10: Field("span_id", LENGTH),
        11: Field("observed_time_unix_nano", FIXED64),
        12: _text("event_name"),
    },
    "KeyValue": {1: _text("key"), 2: _message("value", "AnyValue")},
    "AnyValue": {
        1: _text("string_value"),
        2: Field("bool_value", VARINT),
        3: Field("int_value", VARINT),
        4: Field("double_value", FIXED64),
        5: _message("array_value", "ArrayValue"),
        6: _message("kvlist_value", "KeyValueList"),
        7: Field("bytes_value", LENGTH),
    },
    "ArrayValue": {1: _messages("values", "AnyValue")},
    "KeyValueList": {1: _messages("values", "KeyValue")},
}


@dataclass(frozen=True)
class Found:
    """One occurrence of a known field: all of it at `tag:end`, its content without length at `start:end`."""

    field: Field
    path: str
    tag: int
    start: int
    end: int


def walk(data: bytes, start: int, end: int, message: str, path: str, limits: Limits) -> Iterator[Found]:
    """Yields the known fields of one message in wire order, and checks and skips all others.

    Raises:
        DecodeError: The tags, or the fields that nobody reads, are damaged.
        LimitError: Groups are nested deeper than `limits.max_nesting`.
    """
    fields = MESSAGES[message]
    counts: dict[str, int] = {}
    at = start
    while at < end:
        tag = at
        number, wire_type, at = read_tag(data, at, end, path)
        field = fields.get(number)
        if field is None:
            at = skip_field(data, at, end, number, wire_type, path, limits, depth=0)
            continue
        field_path = f"{path}.{field.name}" if path else field.name
        if field.repeated:
            index = counts.get(field.name, 0)
            counts[field.name] = index + 1
            field_path += f"[{index}]"
        if wire_type != field.wire_type:
            what = f"has wire type {wire_type} where {field.wire_type} is due"
            raise damage(what, RESEND, offset=tag, path=field_path)
        content = at
        if wire_type == LENGTH:
            length, content = read_varint(data, at, end, field_path)
            if length > end - content:
                raise damage(f"is {length} bytes long, past its end", RESEND, offset=at, path=field_path)
            at = content + length
        else:
            at = skip_field(data, at, end, number, wire_type, field_path, limits, depth=0)
        yield Found(field, field_path, tag, content, at)


def checked(data: bytes, start: int, end: int, message: str, path: str, limits: Limits, nesting: int = 0) -> bytes:
    """The message without the fields that spanmap does not read, every byte checked.

    Raises:
        DecodeError: Something in it is damaged.
        LimitError: Groups or values are nested deeper than `limits.max_nesting`.
    """
    if message in ("ArrayValue", "KeyValueList"):
        nesting += 1
        if nesting > limits.max_nesting:
            what = f"nests values deeper than {limits.max_nesting}"
            raise over_limit("max_nesting", what, offset=start, path=path)
    kept = bytearray()
    for found in walk(data, start, end, message, path, limits):
        if found.field.message:
            inner = checked(data, found.start, found.end, found.field.message, found.path, limits, nesting)
            _, _, behind_tag = read_tag(data, found.tag, found.end, found.path)
            kept += data[found.tag : behind_tag] + varint_bytes(len(inner)) + inner
            continue
        if found.field.text:
            check_text(data, found)
        kept += data[found.tag : found.end]
    return bytes(kept)


def check_text(data: bytes, found: Found) -> None:
    """A `DecodeError` unless the field is UTF-8."""
    try:
        data[found.start : found.end].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = found.start + error.start
        what = f"is not UTF-8 (byte 0x{data[offset]:02x})"
        advice = "Protobuf strings must be UTF-8: fix the exporter."
        raise damage(what, advice, offset=offset, path=found.path) from error


def read_tag(data: bytes, at: int, end: int, path: str) -> tuple[int, int, int]:
    """Field number, wire type, and where the field goes on."""
    key, behind = read_varint(data, at, end, path)
    number, wire_type = key >> 3, key & 7
    if number == 0 or key > 0xFFFF_FFFF:
        raise damage(f"holds a field with the number {number}", RESEND, offset=at, path=path)
    if wire_type > FIXED32:
        raise damage(f"holds a field with the unknown wire type {wire_type}", RESEND, offset=at, path=path)
    return number, wire_type, behind


def read_varint(data: bytes, at: int, end: int, path: str) -> tuple[int, int]:
    """The number, and where it ends. At most ten bytes, the tenth of which holds one bit."""
    value = 0
    for index in range(10):
        if at + index >= end:
            raise damage("ends inside a number", RESEND, offset=at, path=path)
        byte = data[at + index]
        if index == 9 and byte > 1:
            break
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise damage("holds a number of more than 64 bits", RESEND, offset=at, path=path)


def varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def skip_field(
    data: bytes, at: int, end: int, number: int, wire_type: int, path: str, limits: Limits, depth: int
) -> int:
    """Where the field whose tag was just read ends."""
    if wire_type == VARINT:
        return read_varint(data, at, end, path)[1]
    if wire_type == LENGTH:
        length, at_content = read_varint(data, at, end, path)
        behind = at_content + length
    elif wire_type in (FIXED64, FIXED32):
        behind = at + (8 if wire_type == FIXED64 else 4)
    elif wire_type == GROUP:
        return _skip_group(data, at, end, number, path, limits, depth + 1)
    else:
        raise damage("ends a group that never began", RESEND, offset=at, path=path)
    if behind > end:
        raise damage("holds a field that goes past its end", RESEND, offset=at, path=path)
    return behind


def _skip_group(data: bytes, at: int, end: int, number: int, path: str, limits: Limits, depth: int) -> int:
    if depth > limits.max_nesting:
        raise over_limit("max_nesting", f"nests groups deeper than {limits.max_nesting}", offset=at, path=path)
    while at < end:
        tag = at
        inner, wire_type, at = read_tag(data, at, end, path)
        if wire_type != END_GROUP:
            at = skip_field(data, at, end, inner, wire_type, path, limits, depth)
        elif inner == number:
            return at
        else:
            raise damage(f"ends group {inner} inside group {number}", RESEND, offset=tag, path=path)
    raise damage("ends inside a group", RESEND, offset=at, path=path)
