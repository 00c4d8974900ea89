"""The `events` attribute of older conventions: the messages of a call as a list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .javascript import Parse, is_finite, parsed_or_text, utf16_length

if TYPE_CHECKING:
    from ..event import Properties

MAX_EVENTS = 500_000
MAX_FINISH_REASON = 128

ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
# PostHog looks names up with `in` on a plain object, which also finds what every object inherits. The role is
# then a function, which JSON leaves out: the message stays, without a role. But `__proto__` is Object.prototype, an
# object without members of its own.
PROTOTYPE = "__proto__"
INHERITED = frozenset(
    (
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    )
)


def map_older_events(properties: Properties, parse: Parse) -> None:
    """Fills `$ai_input` and `$ai_output_choices` if not set. Any attribute called `events` is removed."""
    events = properties.pop("events", None)
    if isinstance(events, str):
        events = parsed_or_text(events, parse) if utf16_length(events) <= MAX_EVENTS else None
    if not isinstance(events, list):
        return
    inputs: list[tuple[Any, dict[str, Any]]] = []
    outputs: list[dict[str, Any]] = []
    for event in events:
        if not isinstance(event, dict):
            continue
        name = event.get("event.name")
        if name == "gen_ai.choice":
            choice = _choice(event)
            if choice is not None:
                outputs.append(choice)
        elif isinstance(name, str) and (name in ROLES or name in INHERITED or name == PROTOTYPE):
            message = _message(event, name)
            if message is not None:
                inputs.append((event.get("gen_ai.message.index"), message))
    if all(is_finite(index) for index, _ in inputs):
        # JSON.parse makes doubles of all numbers, so that two integers beyond 2**53 may be equal.
        inputs.sort(key=lambda indexed: float(indexed[0]))
    if inputs:
        properties.setdefault("$ai_input", [message for _, message in inputs])
    if outputs:
        properties.setdefault("$ai_output_choices", outputs)


def _message(event: dict[str, Any], name: str) -> dict[str, Any] | None:
    own_role = event.get("role")
    role: Any = own_role if isinstance(own_role, str) else {} if name == PROTOTYPE else ROLES.get(name)
    if role == "":
        return None
    message = {"role": role} if role is not None else {}
    return message | _fields(event, "content", "tool_calls", "tool_call_id")


def _choice(event: dict[str, Any]) -> dict[str, Any] | None:
    message = event.get("message")
    choice = dict(message) if isinstance(message, dict) else _fields(event, "role", "content", "tool_calls")
    if not choice and not isinstance(message, dict):
        return None
    reason = event.get("finish_reason")
    if is_finish_reason(reason):
        choice.setdefault("finish_reason", reason)
    return choice


def is_finish_reason(value: Any) -> bool:
    """Whether a value is usable as a stop reason: a string of 1 to 128 units."""
    return isinstance(value, str) and 0 < utf16_length(value) <= MAX_FINISH_REASON


def _fields(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: event[name] for name in names if name in event}
