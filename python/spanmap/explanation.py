"""Why events look as they do: what `Mapper.explain` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from spanmap._core import Drop
    from spanmap.errors import DecodeError


class PropertyNote(TypedDict):
    """Why a property has its value.

    Attributes:
        property: The property's name.
        rule: The id of the rule that set it; `spanmap.rules()` has them all.
        source: The attribute that the value comes from, `key#a.b` for a member of its JSON; `None` where the rule
            computes the value from more than one thing.
        losers: Attributes that would have given the value had the source not been there.
    """

    property: str
    rule: str
    source: str | None
    losers: list[str]


class UnusedAttribute(TypedDict):
    """An attribute without a property of its own.

    Attributes:
        key: The attribute's key.
        reason: `empty`, `secret`, `noise` (of use to its exporter alone), `content` (what was said, which only the
            properties for content may hold) or `read` (rules looked at it, and another attribute or a computed value
            stands).
    """

    key: str
    reason: str


class ExplainedEvent(TypedDict):
    """An event and its reasons.

    Attributes:
        event: The event, as `Mapper.map_traces` gives it.
        properties: A note for each property.
        unused: The attributes of its span without a property of their own.
    """

    event: dict[str, Any]
    properties: list[PropertyNote]
    unused: list[UnusedAttribute]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one request became, and why.

    Attributes:
        events: Every event with its reasons, in the order of `Mapper.map_traces`.
        drops: The spans that became no event, each with the reason.
        errors: Why spans could not be read, under `on_error="skip"`.
    """

    events: list[ExplainedEvent]
    drops: list[Drop]
    errors: list[DecodeError]

    def to_dict(self) -> dict[str, Any]:
        """The same as dicts, lists and text, ready for JSON."""
        names = ("reason", "trace_id", "span_id", "name")
        return {
            "events": self.events,
            "drops": [{name: getattr(drop, name) for name in names} for drop in self.drops],
            "errors": [str(error) for error in self.errors],
        }
