"""Which event tells of which call. A call and an event are paired once; what is left over is surplus or missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import reading

if TYPE_CHECKING:
    from .facts import Call

Json = Any

# What agreement counts when several events may tell of a call: the span's id most, then the texts.
SAME_SPAN = 6
USER_TEXTS = 4
ANSWER_TEXTS = 3
INPUT_TOKENS = 3
SAME_OUTCOME = 3
OUTPUT_TOKENS = 2
TOOL_CALL = 2
MODEL = 1
# Of twins the one that knows the people tells more.
PERSON = 0.5
# Order breaks ties: calls and events of a scenario both come as they were sent.
DISTANCE = 0.01
# A long conversation repeats its beginning; the end tells calls apart.
LAST_USER_TEXTS = 3


@dataclass(frozen=True, eq=False)
class Event:
    """One event as its consumer reads it."""

    name: str
    distinct_id: str | None
    properties: dict[str, Json]

    @classmethod
    def of(cls, event: Json) -> Event:
        return cls(event["event"], event.get("distinct_id"), event.get("properties") or {})

    def number(self, name: str) -> float | None:
        value = self.properties.get(name)
        return value if reading.is_number(value) else None

    @property
    def is_error(self) -> bool:
        return self.properties.get("$ai_is_error") in (True, "true", "True")

    @property
    def cached_tokens(self) -> float:
        kinds = ("$ai_cache_read_input_tokens", "$ai_cache_creation_input_tokens")
        return sum(self.number(kind) or 0 for kind in kinds)

    @property
    def excludes_cached_tokens(self) -> bool:
        """What `$ai_cache_reporting_exclusive` says; where it is absent, what PostHog then assumes."""
        stated = self.properties.get("$ai_cache_reporting_exclusive")
        if isinstance(stated, bool):
            return stated
        model, provider = (str(self.properties.get(name) or "").lower() for name in ("$ai_model", "$ai_provider"))
        if provider == "anthropic" or "anthropic" in model or model.startswith("claude"):
            return True
        return (self.number("$ai_input_tokens") or 0) < self.cached_tokens

    @property
    def input_tokens(self) -> float | None:
        """All tokens of the prompt, cached ones included."""
        tokens = self.number("$ai_input_tokens")
        if tokens is None:
            return None
        return tokens + self.cached_tokens if self.excludes_cached_tokens else tokens

    @cached_property
    def input_texts(self) -> list[str]:
        return list(reading.texts(self.properties.get("$ai_input")))

    @cached_property
    def user_texts(self) -> list[str]:
        return reading.texts_of_roles(self.properties.get("$ai_input"), reading.USER_ROLES)

    @cached_property
    def system_texts(self) -> list[str]:
        instructions = reading.texts(self.properties.get("$ai_instructions"))
        return [*reading.texts_of_roles(self.properties.get("$ai_input"), reading.SYSTEM_ROLES), *instructions]

    @cached_property
    def answer_texts(self) -> list[str]:
        return list(reading.texts(self.properties.get("$ai_output_choices")))

    @cached_property
    def tool_calls(self) -> list[tuple[str, Json]]:
        return reading.tool_calls(self.properties.get("$ai_output_choices"))

    def names_model(self, call: Call) -> bool:
        """The answered or the asked model; a `provider/` before it is fine."""
        model = str(self.properties.get("$ai_model") or "").strip('"')
        return model in call.models or model.rpartition("/")[2] in call.models


Pairs = dict["Call", Event]


def pair(calls: list[Call], events: list[Event]) -> Pairs:
    """Events that alone carry the id of a call's span are settled; the rest goes by likeness, likest pairs first."""
    span_ids = Counter(event.properties.get("$ai_span_id") for event in events)
    by_span = {event.properties.get("$ai_span_id"): event for event in events}
    shared = Counter(span for call in calls for span in call.spans)
    pairs: Pairs = {}
    for call in calls:
        spans = [span for span in call.spans if span in by_span]
        if len(spans) == 1 and span_ids[spans[0]] == 1 and shared[spans[0]] == 1:
            pairs[call] = by_span[spans[0]]
    taken = set(pairs.values())
    rest = [event for event in events if event not in taken]
    likest = sorted(
        (
            (likeness(call, event) - DISTANCE * abs(row - column), -row, -column, call, event)
            for row, call in enumerate(call for call in calls if call not in pairs)
            for column, event in enumerate(rest)
        ),
        key=lambda candidate: candidate[:3],
        reverse=True,
    )
    for *_, call, event in likest:
        if call not in pairs and event not in taken:
            pairs[call] = event
            taken.add(event)
    return pairs


def likeness(call: Call, event: Event) -> float:
    """How well an event fits a call; only compared with other likenesses."""
    asked = call.user_texts[-LAST_USER_TEXTS:]
    agreements = (
        (SAME_SPAN, event.properties.get("$ai_span_id") in call.spans),
        (USER_TEXTS, _share(asked, event.input_texts)),
        (ANSWER_TEXTS, _share(call.answer_texts, event.answer_texts)),
        (INPUT_TOKENS, call.billed_input is not None and event.input_tokens == call.billed_input),
        (OUTPUT_TOKENS, call.billed_output is not None and event.number("$ai_output_tokens") == call.billed_output),
        (SAME_OUTCOME, 1 if event.is_error == bool(call.failure) else -1),
        (MODEL, event.names_model(call)),
        (TOOL_CALL, any(name == call.tool_calls[0][0] for name, _ in event.tool_calls) if call.tool_calls else 0),
        (PERSON, call.distinct_id is not None and event.distinct_id == call.distinct_id),
        (PERSON, call.session_id is not None and event.properties.get("$ai_session_id") == call.session_id),
    )
    return sum(weight * agreement for weight, agreement in agreements)


def _share(wanted: tuple[str, ...], among: list[str]) -> float:
    return sum(reading.is_said(text, among) for text in wanted) / len(wanted) if wanted else 0
