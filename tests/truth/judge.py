"""Judges the events of one scenario: for every fact that is on the wire, right or wrong.

Facts about one call are below, one small function a family; those about a whole scenario are in scene.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import reading
from .matching import Event, Pairs, pair
from .scene import SCENE_FAMILIES, Scene

if TYPE_CHECKING:
    from .facts import Call, Scenario

Json = Any

# None says that a fact is told right; otherwise the text says what is told instead.
Complaint = str | None

# A latency may be off by a tenth, and by two milliseconds on top.
LATENCY_SHARE = 0.1
LATENCY_SECONDS = 0.002
# No captured stream took longer until its first chunk; a larger number is another unit.
MAX_SECONDS_TO_FIRST_TOKEN = 60


@dataclass(frozen=True)
class Verdict:
    scenario: str
    library: str
    family: str
    complaint: Complaint

    @property
    def is_right(self) -> bool:
        return self.complaint is None


@dataclass(frozen=True)
class CallFamily:
    """A family of facts about one call, and of which calls it can be asked."""

    name: str
    is_judged: Callable[[Call], bool]
    complain: Callable[[Call, Event], Complaint]


CALL_FAMILIES: list[CallFamily] = []


def family(
    name: str, is_judged: Callable[[Call], bool]
) -> Callable[[Callable[[Call, Event], Complaint]], Callable[[Call, Event], Complaint]]:
    def register(complain: Callable[[Call, Event], Complaint]) -> Callable[[Call, Event], Complaint]:
        CALL_FAMILIES.append(CallFamily(name, is_judged, complain))
        return complain

    return register


def told(fact: str) -> Callable[[Call], bool]:
    return lambda call: fact in call.told


def judge(scenario: Scenario, events: list[Json]) -> Iterator[Verdict]:
    """Verdicts on the events of all bodies of a scenario, in the order in which they were sent."""
    read = [Event.of(event) for event in events]
    pairs: Pairs = {}
    for kind in ("generation", "embedding"):
        calls = [call for call in scenario.calls if call.kind == kind]
        pairs |= pair(calls, [event for event in read if event.name == f"$ai_{kind}"])

    def verdict(name: str, complaint: Complaint) -> Verdict:
        return Verdict(scenario.name, scenario.library, name, complaint)

    for call in scenario.calls:
        event = pairs.get(call)
        for asked in CALL_FAMILIES:
            if asked.is_judged(call):
                yield verdict(asked.name, asked.complain(call, event) if event else "no event tells of the call")
    for tell in SCENE_FAMILIES:
        for name, complaint in tell(Scene(scenario, read, pairs)):
            yield verdict(name, complaint)


def compare(found: Json, accepted: tuple[Json, ...]) -> Complaint:
    return None if found in accepted else f"{found!r} instead of {' or '.join(map(repr, accepted))}"


def missing(wanted: tuple[str, ...], among: list[str]) -> Complaint:
    lost = [text for text in wanted if not reading.is_said(text, among)]
    return f"{lost[0][:80]!r} is not there" if lost else None


@family("model", told("model"))
def model(call: Call, event: Event) -> Complaint:
    return None if event.names_model(call) else compare(event.properties.get("$ai_model"), call.models)


@family("provider", lambda call: "provider" in call.told and bool(call.provider))
def provider(call: Call, event: Event) -> Complaint:
    return compare(reading.provider_family(event.properties.get("$ai_provider")), (call.provider,))


@family("input_tokens", told("input_tokens"))
def input_tokens(call: Call, event: Event) -> Complaint:
    return compare(event.input_tokens, call.input_tokens)


@family("output_tokens", told("output_tokens"))
def output_tokens(call: Call, event: Event) -> Complaint:
    return compare(event.number("$ai_output_tokens"), call.output_tokens)


@family("cache_tokens", told("cache_read_tokens"))
def cache_read_tokens(call: Call, event: Event) -> Complaint:
    return compare(event.number("$ai_cache_read_input_tokens"), (call.cache_read_tokens,))


@family("cache_tokens", told("cache_creation_tokens"))
def cache_creation_tokens(call: Call, event: Event) -> Complaint:
    return compare(event.number("$ai_cache_creation_input_tokens"), (call.cache_creation_tokens,))


@family("reasoning_tokens", told("reasoning_tokens"))
def reasoning_tokens(call: Call, event: Event) -> Complaint:
    return compare(event.number("$ai_reasoning_tokens"), (call.reasoning_tokens,))


@family("user_text", told("user_text"))
def user_text(call: Call, event: Event) -> Complaint:
    """Under the role of the user, but for calls that have no roles."""
    has_roles = call.kind == "generation" and call.operation != "text_completion"
    return missing(call.user_texts, event.user_texts if has_roles else event.input_texts)


@family("system_text", told("system_text"))
def system_text(call: Call, event: Event) -> Complaint:
    return missing(call.system_texts, event.system_texts)


@family("assistant_text", told("assistant_text"))
def assistant_text(call: Call, event: Event) -> Complaint:
    return missing(call.answer_texts, event.answer_texts)


@family("tool_calls", told("tool_calls"))
def tool_calls(call: Call, event: Event) -> Complaint:
    def is_told(name: str, arguments: Json) -> bool:
        return any(
            name == found and (arguments == given or (not arguments and not given)) for found, given in event.tool_calls
        )

    lost = [name for name, arguments in call.tool_calls if not is_told(name, arguments)]
    return f"{lost} with its arguments is not there" if lost else None


@family("tools_offered", told("tools_offered"))
def tools_offered(call: Call, event: Event) -> Complaint:
    lost = set(call.tools_offered) - reading.tool_names(event.properties.get("$ai_tools"))
    return f"{sorted(lost)} are not there" if lost else None


@family("stop_reason", told("finish_reason"))
def stop_reason(call: Call, event: Event) -> Complaint:
    return compare(reading.stop_class(event.properties.get("$ai_stop_reason")), call.stop_classes)


@family("is_error", lambda call: call.failure is not None and call.failure.is_told)
def is_error(_: Call, event: Event) -> Complaint:
    return None if event.is_error else "the failure is not marked"


@family("http_status", lambda call: call.failure is not None and call.failure.status_is_told)
def http_status(call: Call, event: Event) -> Complaint:
    assert call.failure is not None
    return compare(str(event.properties.get("$ai_http_status")), (str(call.failure.http_status),))


@family("error_message", lambda call: call.failure is not None and call.failure.is_told)
def error_message(call: Call, event: Event) -> Complaint:
    """The provider's message; where that is not on the wire, at least something."""
    assert call.failure is not None
    error = event.properties.get("$ai_error") or ""
    text = error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)
    is_right = call.failure.message in text if call.failure.message_is_told else bool(text)
    return None if is_right else f"{text[:80]!r} instead of {call.failure.message!r}"


@family("ttft", told("ttft"))
def time_to_first_token(_: Call, event: Event) -> Complaint:
    seconds, latency = event.number("$ai_time_to_first_token"), event.number("$ai_latency")
    is_plausible = seconds is not None and 0 < seconds < MAX_SECONDS_TO_FIRST_TOKEN
    if is_plausible and seconds is not None and (latency is None or seconds <= latency + 1e-6):
        return None
    return f"{seconds} of {latency} seconds"


@family("latency", lambda _: True)
def latency(call: Call, event: Event) -> Complaint:
    found = event.number("$ai_latency")
    is_near = found is not None and any(
        abs(found - seconds) <= LATENCY_SHARE * seconds + LATENCY_SECONDS for seconds in call.seconds
    )
    return None if is_near and found else compare(found, call.seconds)


@family("distinct_id", lambda call: call.distinct_id is not None)
def distinct_id(call: Call, event: Event) -> Complaint:
    return compare(event.distinct_id, (call.distinct_id,))


@family("session", lambda call: call.session_id is not None)
def session(call: Call, event: Event) -> Complaint:
    return compare(event.properties.get("$ai_session_id"), (call.session_id,))


@family("custom", lambda call: bool(call.custom))
def custom(call: Call, event: Event) -> Complaint:
    """Under its own name, with a prefix before it, or inside an object; content does not count."""
    content = ("$ai_input", "$ai_output_choices", "$ai_tools")
    others = {name: value for name, value in event.properties.items() if name not in content}

    def is_kept(key: str, value: Json) -> bool:
        named = [found for name, found in others.items() if name == key or name.endswith((f".{key}", f"_{key}"))]
        inside = [found[key] for found in reading.objects(list(others.values())) if key in found]
        return any(str(found).lower() == str(value).lower() for found in named + inside)

    lost = [key for key, value in call.custom if not is_kept(key, value)]
    return f"{lost} are not there" if lost else None
