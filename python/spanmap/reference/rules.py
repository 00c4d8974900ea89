"""The rules that a user adds: edits of attributes, made before any mapper looks at a span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .span import Attribute, Request

KINDS = "{'rename': key, 'to': key}, {'drop': key or prefix*}, {'set': key, 'value': value} or {'prefix': prefix}"


@dataclass(frozen=True)
class UserRules:
    """Drops come first, then renames, then constants.

    Attributes:
        drop: Keys of span and resource attributes that are as good as absent; a trailing `*` makes a prefix.
        rename: Span attributes that take another key, and win over one that already has it.
        set: Span attributes with a constant value, where the span has none of that key.
        prefixes: Keys and span names that start with one of these make a span worth keeping.
    """

    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, Any], ...] = ()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, rules: Iterable[Mapping[str, Any]]) -> UserRules:
        """Sorts rules by what they do.

        Raises:
            ValueError: A rule has none of the known forms.
        """
        drop: list[str] = []
        rename: list[tuple[str, str]] = []
        constants: list[tuple[str, Any]] = []
        prefixes: list[str] = []
        for position, rule in enumerate(rules):
            match dict(rule):
                case {"drop": str(key), **rest} if not rest:
                    drop.append(key)
                case {"rename": str(key), "to": str(to), **rest} if not rest:
                    rename.append((key, to))
                case {"set": str(key), "value": str() | int() | float() as value, **rest} if not rest:
                    constants.append((key, value))
                case {"prefix": str(prefix), **rest} if not rest:
                    prefixes.append(prefix)
                case _:
                    raise ValueError(f"rules[{position}] is {dict(rule)!r}. A rule is {KINDS}.")
        return cls(tuple(drop), tuple(rename), tuple(constants), tuple(prefixes))

    def edit(self, request: Request) -> None:
        """Edits all spans of a request, and their resources."""
        if not (self.drop or self.rename or self.set):
            return
        resources = {id(span.resource): span.resource for span in request.spans}
        for resource in resources.values():
            resource.attributes = self.kept(resource.attributes)
        for span in request.spans:
            span.attributes = self.edited(span.attributes)

    def edited(self, attributes: list[Attribute]) -> list[Attribute]:
        """The attributes of a span or log record after all edits."""
        attributes = self.kept(attributes)
        for key, to in self.rename:
            moved = [(to, value) for name, value in attributes if name == key]
            attributes = [item for item in attributes if item[0] != key] + moved
        for key, value in self.set:
            if not any(name == key and given is not None for name, given in attributes):
                attributes.append((key, value))
        return attributes

    def kept(self, attributes: list[Attribute]) -> list[Attribute]:
        """The attributes that are not dropped; all that is done to a resource."""
        exact = {key for key in self.drop if not key.endswith("*")}
        prefixes = tuple(key[:-1] for key in self.drop if key.endswith("*"))
        return [(k, v) for k, v in attributes if k not in exact and not (prefixes and k.startswith(prefixes))]
