"""Reads an event the way a person would: texts wherever they stand, JSON inside strings opened, either spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Json = Any

# JSON text inside JSON text is opened so often; deeper nesting hides more than it tells.
MAX_OPENED = 4

USER_ROLES = ("user", "human")
SYSTEM_ROLES = ("system", "developer")

STOP_CLASSES = {
    "tool": ("tool_calls", "tool_use", "tool_call", "function_call", "tooluse"),
    "length": ("length", "max_tokens", "max_output_tokens", "incomplete"),
    "content_filter": ("content_filter", "safety", "refusal"),
    "stop": ("stop", "end_turn", "stop_sequence", "completed", "complete", "eos"),
}
GOOGLE = re.compile(r"gcp|google|gemini|vertex")

# A blob is over 1 KiB: so many characters of base64, numbers of a vector, or bytes of a map.
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{1024,}")
VECTOR_IN_TEXT = re.compile(r"\[\s*(-?\d+(\.\d+)?([eE][+-]?\d+)?\s*,\s*){100,}")
BYTE_MAP_IN_TEXT = re.compile(r'\{\s*("\d+"\s*:\s*\d+\s*,\s*){256,}')
MANY_NUMBERS = 100
MANY_BYTES = 256


def opened(value: Json) -> Json:
    """The value that JSON text stands for; anything else as it is."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "[", '"'):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def texts(value: Json, depth: int = 0) -> Iterator[str]:
    """Every text inside, and every number as text."""
    if isinstance(value, str):
        yield value
        inner = opened(value)
        if inner != value and depth < MAX_OPENED:
            yield from texts(inner, depth + 1)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item, depth)
    elif is_number(value):
        yield str(value)


def objects(value: Json, depth: int = 0) -> Iterator[dict[str, Json]]:
    """Every JSON object inside, outer ones first."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item, depth)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item, depth)
    elif isinstance(value, str) and depth < MAX_OPENED:
        inner = opened(value)
        if not isinstance(inner, str):
            yield from objects(inner, depth + 1)


def scalars(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from scalars(item)
    else:
        yield value


def is_said(text: str, among: list[str]) -> bool:
    """Whether one of the texts holds this one, or is the same JSON document."""
    wanted = text.strip()
    if any(wanted in said for said in among):
        return True
    document = opened(wanted)
    return isinstance(document, dict | list) and any(opened(said) == document for said in among)


def messages(value: Json) -> Iterator[tuple[str, Json]]:
    """Role (may be empty) and content of each message; the value may be a list, JSON text, or an object around it."""
    value = opened(value)
    if isinstance(value, dict):
        inner = next((value[name] for name in ("messages", "choices") if isinstance(value.get(name), list)), None)
        if inner is not None and value.get("system"):
            yield "system", value["system"]
        value = [value] if inner is None else inner
    elif isinstance(value, str):
        value = [value]
    for item in value if isinstance(value, list) else []:
        message = opened(item)
        if isinstance(message, list):
            yield from messages(message)
        elif isinstance(message, dict):
            if "role" not in message and isinstance(message.get("message"), dict):
                message = message["message"]
            content = {name: part for name, part in message.items() if name != "role"}
            yield str(message.get("role") or "").lower(), content
        else:
            yield "", message


def texts_of_roles(value: Json, roles: tuple[str, ...]) -> list[str]:
    return [text for role, content in messages(value) if role in roles for text in texts(content)]


def tool_calls(value: Json) -> list[tuple[str, Json]]:
    """Name and arguments of each tool call, as OpenAI, Anthropic, Gemini, Vercel and the conventions spell it."""
    found = []
    for call in objects(value):
        function = call.get("function")
        told = function if isinstance(function, dict) else call
        name = told.get("name") or call.get("toolName") or call.get("tool_name")
        homes = ("arguments", "args", "input", "parameters")
        arguments = next((told[home] for home in homes if home in told), None)
        if isinstance(name, str) and (told is function or arguments is not None):
            found.append((name, opened(arguments)))
    return found


def tool_names(value: Json) -> set[str]:
    """The names of the tools that a request offered: a list of names, of objects, or an object by name."""
    value = opened(value)
    names = {str(tool["name"]) for tool in objects(value) if isinstance(tool.get("name"), str)}
    if isinstance(value, dict):
        names |= value.keys()
    elif isinstance(value, list):
        names |= {tool for tool in value if isinstance(tool, str)}
    return names


def stop_class(reason: Json) -> str | None:
    if isinstance(reason, list):
        reason = reason[0] if reason else None
    word = str(reason or "").strip().strip('"').lower().removeprefix("finishreason.").replace("-", "_")
    return next((name for name, words in STOP_CLASSES.items() if word in words), None)


def provider_family(name: Json) -> str:
    """The first word, so that `openai.chat` is OpenAI; all of Google's names are one."""
    word = str(name or "").strip().strip('"').lower()
    if GOOGLE.match(word):
        return "gemini"
    return "mistral" if word.startswith("mistral") else re.split(r"[._/ :-]", word)[0]


def holds_blob(value: Json, depth: int = 0) -> bool:
    """Whether more than 1 KiB of base64, a vector or a map of bytes is inside."""
    if isinstance(value, str):
        if any(pattern.search(value) for pattern in (BASE64, VECTOR_IN_TEXT, BYTE_MAP_IN_TEXT)):
            return True
        inner = opened(value)
        return depth < MAX_OPENED and not isinstance(inner, str) and holds_blob(inner, depth + 1)
    if isinstance(value, dict):
        is_byte_map = len(value) > MANY_BYTES and all(str(key).isdigit() for key in value)
        return is_byte_map or any(holds_blob(item, depth) for item in value.values())
    if isinstance(value, list):
        is_vector = len(value) > MANY_NUMBERS and all(is_number(item) for item in value)
        return is_vector or any(holds_blob(item, depth) for item in value)
    return False
