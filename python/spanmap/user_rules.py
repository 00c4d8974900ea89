"""The rules that a user adds to a mapper: a list of mappings, or a TOML file of them.

Comes in: rules as a person wrote them. Goes out: the same, sorted by what they do, as the core wants them. Refuses: a
rule that has none of the four forms, naming the rule.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

Constant: TypeAlias = str | int | float | bool
Rule: TypeAlias = Mapping[str, Constant]

FORMS = (
    "{'rename': key, 'to': key}, {'drop': key or prefix*}, {'set': key, 'value': text, number or bool} "
    "or {'prefix': prefix}"
)
_INT64 = range(-(2**63), 2**63)


class Edits(NamedTuple):
    """Rules by what they do. Drops are made first, then renames, then constants."""

    drop: list[str]
    rename: list[tuple[str, str]]
    set: list[tuple[str, Constant]]
    prefixes: list[str]


def read_rules(given: Iterable[Rule] | str | os.PathLike[str]) -> Edits:
    """Checks rules, and sorts them by what they do.

    Args:
        given: The rules, or the path of a TOML file that holds them as `[[rule]]` tables.

    Raises:
        ValueError: A rule has none of the known forms, or the file is not TOML.
        OSError: The file cannot be read.
    """
    if isinstance(given, str | os.PathLike):
        return _sort(_read_file(os.fspath(given)), f"{os.fspath(given)}: rule")
    return _sort(given, "rules")


def _read_file(path: str) -> Iterable[object]:
    import tomllib  # noqa: PLC0415 - few read rules from a file, and all would wait for it at `import spanmap`

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML in UTF-8 ({error}). Write each rule as a [[rule]] table.") from error
    unknown = sorted(document.keys() - {"rule"})
    rules = document.get("rule", [])
    if unknown or not isinstance(rules, list):
        raise ValueError(f"{path} holds {', '.join(unknown) or 'one rule'}. Write each rule as a [[rule]] table.")
    return rules


def _sort(rules: Iterable[object], name: str) -> Edits:
    edits = Edits([], [], [], [])
    for position, rule in enumerate(rules):
        match rule:
            case {"drop": str(key), **rest} if not rest and key:
                edits.drop.append(key)
            case {"rename": str(key), "to": str(to), **rest} if not rest and key and to:
                edits.rename.append((key, to))
            case {"set": str(key), "value": str() | int() | float() as value, **rest} if not rest and key:
                if isinstance(value, int) and value not in _INT64:
                    raise ValueError(f"{name}[{position}] sets {key} to {value}. Pass an integer of at most 64 bits.")
                edits.set.append((key, value))
            case {"prefix": str(prefix), **rest} if not rest:
                edits.prefixes.append(prefix)
            case _:
                shown = dict(rule) if isinstance(rule, Mapping) else rule
                raise ValueError(f"{name}[{position}] is {shown!r}. A rule is {FORMS}.")
    return edits
