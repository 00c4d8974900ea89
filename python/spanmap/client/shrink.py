"""The ladder on which an event that is too large is made smaller, so that it is not lost whole.

Rung by rung, and on each rung property by property, the largest first, until the event fits:

1. Strings of more than 64 KiB keep their beginning and end, lists of more than 1024 items their first and last items.
2. The same with 8 KiB and 256 items.
3. The same with 1 KiB and 64 items.
4. Properties of more than 1 KiB become a line of text that says how large they were.

What is smaller than a rung's limit is never touched: ids, tokens, costs, times and names travel whole. The property
`spanmap_shrunk` says how many bytes the event had, which properties were cut, and how far.
"""

from __future__ import annotations

from typing import Any

from spanmap.client.events import Refused, parse, to_json

MARKER = "spanmap_shrunk"
# Bytes of a string and items of a list that each rung leaves.
_RUNGS = ((65536, 1024), (8192, 256), (1024, 64))
_LAST_RUNG_BYTES = 1024
# Of what is kept of a string or list, the part that is kept of its beginning. The end of a conversation is what the
# model answered to, so it gets more.
_HEAD_SHARE = 0.25


def shrink(event: bytes, max_bytes: int) -> bytes | None:
    """Makes an event fit.

    Args:
        event: The event's JSON.
        max_bytes: What it may have.

    Returns:
        The smaller event's JSON, or None where even the last rung leaves more than that.
    """
    try:
        whole = parse(event)
        properties = whole["properties"]
        if not isinstance(properties, dict):
            return None
        earlier = properties.pop(MARKER, None)
        sizes = {name: _size(value) for name, value in properties.items()}
    except (Refused, KeyError):
        return None
    before = earlier["bytes"] if isinstance(earlier, dict) and "bytes" in earlier else len(event)
    cut: dict[str, Any] = {}
    marker: dict[str, Any] = {"bytes": before, "properties": cut}
    whole["properties"][MARKER] = marker
    for rung, limits in enumerate((*_RUNGS, None), start=1):
        limit = limits[0] if limits else _LAST_RUNG_BYTES
        for name in sorted((name for name in sizes if sizes[name] > limit), key=lambda name: -sizes[name]):
            value = properties[name]
            smaller = _shorten(value, *limits) if limits else f"[spanmap removed {sizes[name]:,} bytes: too large]"
            if smaller == value:
                continue
            properties[name] = smaller
            sizes[name] = _size(smaller)
            cut[name] = {"rung": rung, "bytes": sizes[name]}
            # The sizes of the parts add up to less than the whole, so the whole is only written when it may fit.
            if sum(sizes.values()) <= max_bytes and len(smaller_event := to_json(whole)) <= max_bytes:
                return smaller_event
    return None


def _size(value: object) -> int:
    return len(to_json({"": value})) - len('{"":}')


def _shorten(value: object, max_bytes: int, max_items: int) -> object:
    if isinstance(value, str):
        return _shorten_text(value, max_bytes)
    if isinstance(value, list):
        if len(value) > max_items:
            head = int(max_items * _HEAD_SHARE)
            value = value[:head] + value[head - max_items :]
        return [_shorten(item, max_bytes, max_items) for item in value]
    if isinstance(value, dict):
        return {name: _shorten(item, max_bytes, max_items) for name, item in value.items()}
    return value


def _shorten_text(text: str, max_bytes: int) -> str:
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    head = int(max_bytes * _HEAD_SHARE)
    beginning = encoded[:head].decode(errors="ignore")
    end = encoded[head - max_bytes :].decode(errors="ignore")
    return f"{beginning}[spanmap cut {len(encoded) - max_bytes:,} bytes]{end}"
