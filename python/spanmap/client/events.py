"""Events as the client carries them: one JSON object each, encoded once, and mended where PostHog would refuse it."""

from __future__ import annotations

import datetime
import json
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# Both caps are the capture service's, in bytes of UTF-8. Its older paths cut a long distinct id to 200 characters
# where the newer ones drop the event, so cutting gives the same person on both.
MAX_EVENT_NAME_BYTES = 200
MAX_DISTINCT_ID_BYTES = 200

# The service's allow-list for its AI lane. Versions of it may know fewer, but always the first four.
CORE_AI_EVENTS = frozenset({"$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding"})
AI_EVENTS = CORE_AI_EVENTS | {"$ai_metric", "$ai_feedback", "$ai_evaluation"}

_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RFC_3339 = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
# A head that nothing is wrong with, as nearly all are: visible ASCII within the caps, and a day that every month has.
# What it does not match is looked at closely, and may well be sound, too.
_SOUND_HEAD = re.compile(
    rb'\{"event":"([!#-\[\]-~]{1,200})","distinct_id":"([!#-\[\]-~](?:[ !#-\[\]-~]{0,198}[!#-\[\]-~])?)",'
    rb'"timestamp":"([12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z)",'
    rb'"uuid":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})","properties":\{'
)
# An event whose uuid is no UUID gets one that is made from its text, so that a second try counts once.
_NAMESPACE = uuid.UUID("6c1a1ad0-4c5c-5f0e-9f0a-3b6f0d6f1b0e")
_PROPERTIES = b',"properties":{'


class EncodedEvent(NamedTuple):
    """One event as JSON. A plain tuple of the same four items will do.

    Attributes:
        uuid: The event's uuid, which PostHog counts once.
        event: The event's name, such as `$ai_generation`.
        process_person_profile: False where the property `$process_person_profile` is false.
        json: The event as a JSON object in UTF-8, as `Batch.to_json` writes it: the members `event`, `distinct_id`,
            `timestamp`, `uuid` and `properties`, in this order and without white space between them.
    """

    uuid: str
    event: str
    process_person_profile: bool
    json: bytes


class Refused(Exception):  # noqa: N818 - it is a verdict, not a failure.
    """An event that cannot be sent, with the reason under which it is counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Head(NamedTuple):
    """What stands in front of an event's properties, after mending."""

    event: str
    distinct_id: str
    timestamp: str
    uuid: str


def encode_event(event: Mapping[str, Any]) -> EncodedEvent:
    """Encodes an event as the mapper gives it, or as a user has made it.

    Raises:
        Refused: It is no mapping with a name and properties, or cannot be written as JSON.
    """
    if not isinstance(event, Mapping):
        raise Refused("not_an_event")
    name = event.get("event")
    if not isinstance(name, str) or not name.strip():
        raise Refused("no_event_name")
    properties = event.get("properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, Mapping):
        raise Refused("properties_not_an_object")
    distinct_id = event.get("distinct_id")
    if not isinstance(distinct_id, str):
        distinct_id = "" if distinct_id is None else str(distinct_id)
    identifier = str(event.get("uuid") or uuid.uuid4())
    members = {
        "event": name,
        "distinct_id": distinct_id,
        "timestamp": _plain_time(event.get("timestamp")),
        "uuid": identifier,
        "properties": properties,
    }
    wants_person = properties.get("$process_person_profile") is not False
    return EncodedEvent(identifier, name, wants_person, to_json(members))


def to_json(value: Mapping[str, Any]) -> bytes:
    """Writes compact JSON in UTF-8; what JSON has no form for becomes text or null.

    Raises:
        Refused: The value contains itself, is nested too deeply, or has keys that JSON cannot have.
    """
    try:
        try:
            return _encoder.encode(value).encode()
        except ValueError:
            # NaN, an infinity, a lone surrogate, or a circle: mending finds out which.
            return _encoder.encode(_mended(value)).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("not_json") from error


def parse(event: bytes) -> dict[str, Any]:
    """Reads an event's JSON back.

    Raises:
        Refused: It is no JSON object.
    """
    try:
        value = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise Refused("not_json") from error
    if not isinstance(value, dict):
        raise Refused("not_an_event")
    return value


def mend(event: bytes, queued_at: float, repaired: set[str]) -> tuple[Head, bytes]:
    """Gives the event a head that the capture service accepts, without reading its properties.

    Args:
        event: The event's JSON.
        queued_at: When it was queued, as seconds since 1970: the time of an event that has none.
        repaired: Takes the names of the members that were mended.

    Returns:
        The head, and the event's JSON with it.

    Raises:
        Refused: Nothing sensible can be sent.
    """
    sound = _SOUND_HEAD.match(event)
    if sound is not None:
        name, person, moment, identifier = sound.groups()
        return Head(name.decode(), person.decode(), moment.decode(), identifier.decode()), event
    # Inside a JSON string a quote has a backslash before it, so the first match is the member itself.
    cut = event.find(_PROPERTIES)
    try:
        members = json.loads(event[:cut] + b"}") if cut > 0 else None
        if not isinstance(members, dict) or members.keys() != set(Head._fields):
            raise ValueError
    except ValueError:
        # Written by somebody else: with white space, or in another order.
        whole = parse(event)
        rewritten = encode_event(whole)
        if not whole.get("uuid"):
            repaired.add("uuid")
        event = rewritten.json
        cut = event.find(_PROPERTIES)
        members = json.loads(event[:cut] + b"}")
    # JSON may spell half a character of UTF-16, which UTF-8 cannot hold.
    head = _mend_head({name: _mended(value) for name, value in members.items()}, queued_at, repaired)
    if head._asdict() == members:
        return head, event
    return head, to_json(head._asdict())[:-1] + event[cut:]


def _mend_head(members: Mapping[str, Any], queued_at: float, repaired: set[str]) -> Head:
    name = members.get("event")
    if not isinstance(name, str) or not name.strip():
        raise Refused("no_event_name")
    if len(name.encode()) > MAX_EVENT_NAME_BYTES:
        # A name that is cut would be another event.
        raise Refused("event_name_too_long")
    identifier = _canonical(str(members.get("uuid") or ""))
    if identifier != members.get("uuid"):
        repaired.add("uuid")
    distinct_id = members.get("distinct_id")
    person = str(distinct_id if distinct_id is not None else "").replace("\0", "").strip()
    # Nobody is known by the event's uuid, so the event stands for itself.
    person = _cut(person, MAX_DISTINCT_ID_BYTES) or identifier
    if person != distinct_id:
        repaired.add("distinct_id")
    timestamp = members.get("timestamp")
    if not isinstance(timestamp, str) or not _is_moment(timestamp):
        if timestamp is not None:
            repaired.add("timestamp")
        timestamp = to_rfc3339(queued_at)
    return Head(name, person, timestamp, identifier)


def with_defaults(event: bytes, defaults: Iterable[tuple[bytes, bytes]], more: bytes) -> list[bytes | memoryview]:
    """An event's JSON in pieces, with properties that it lacks and with more members at its end.

    In pieces, because events are large, and each is copied once: when all pieces of a request are joined.

    Args:
        event: The event's JSON, as `mend` gives it.
        defaults: Names and values of properties, both as JSON; they are added where the event has none of that name.
        more: Members of the event, as JSON with a comma before each.
    """
    view = memoryview(event)
    end = more + b"}"
    # From the end: the mapper writes what it adds itself behind the messages, which are nearly all of an event.
    missing = b",".join(b"%s:%s" % (name, value) for name, value in defaults if event.rfind(name + b":") < 0)
    if not missing:
        return [view[:-1], end]
    start = event.find(_PROPERTIES) + len(_PROPERTIES)
    comma = b"" if event[start : start + 1] == b"}" else b","
    return [view[:start], missing + comma, view[start:-1], end]


def to_rfc3339(seconds: float) -> str:
    """A moment as RFC 3339 in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_moment(text: str) -> bool:
    if not _RFC_3339.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError:  # The 30th of February.
        return False
    return True


def _canonical(text: str) -> str:
    if _CANONICAL_UUID.fullmatch(text):
        return text
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, text)) if text else str(uuid.uuid4())


def _cut(text: str, max_bytes: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= max_bytes else encoded[:max_bytes].decode(errors="ignore")


def _plain_time(value: object) -> str | None:
    if isinstance(value, datetime.datetime):
        # A moment without a zone is local time, as everywhere in Python.
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str) or value is None else str(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _mended(value: object) -> object:
    if isinstance(value, str):
        # Two surrogates that make a pair become its character, lone ones U+FFFD.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_mended(key) if isinstance(key, str) else key: _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mended(item) for item in value]
    return value
