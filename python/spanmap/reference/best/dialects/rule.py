"""A rule: which attributes a property may come from, in order of precedence."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Shape


@dataclass(frozen=True)
class Rule:
    """A source `key#a.b` is the member `a.b` of the JSON in attribute `key`. The first source with the shape wins."""

    id: str
    to: str
    shape: Shape
    sources: tuple[str, ...]


def rule(rule_id: str, to: str, shape: Shape, sources: str) -> Rule:
    return Rule(rule_id, to, shape, tuple(sources.split()))
