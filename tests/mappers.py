"""Runs the core and the reference in the same way, so that every proof is a loop over both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import spanmap
from compare import difference
from spanmap import reference

if TYPE_CHECKING:
    from types import ModuleType

Json = Any

# The modes that the core and the reference must agree in.
COMPAT_MODES = ("posthog", "best")
MAPPERS: dict[str, ModuleType] = {"core": spanmap, "reference": reference}


@dataclass(frozen=True)
class Outcome:
    """What a mapper made of a body: events, or the class of error; and how many spans it left out.

    Attributes:
        error: The class name of the `DecodeError` or `LimitError` that was raised, or None.
        message: What it said; never compared.
    """

    events: list[Json]
    rejected: int = 0
    error: str | None = None
    message: str = ""


def run(
    mapper: str, body: bytes, *, content_type: str | None = None, content_encoding: str | None = None, **options: Any
) -> Outcome:
    """Maps the body to dicts and to JSON, and checks that both say the same: also when they refuse."""
    module = MAPPERS[mapper]
    headers = {"content_type": content_type, "content_encoding": content_encoding}
    made = module.Mapper(**options)
    try:
        events = made.map_traces(body, **headers)
    except spanmap.DecodeError as error:
        try:
            made.map_traces_json(body, **headers)
        except spanmap.DecodeError as again:
            if (type(again), str(again)) != (type(error), str(error)):
                raise AssertionError(f"dicts: {error!r}; JSON: {again!r}") from again
            return Outcome([], error=type(error).__name__, message=str(error))
        raise AssertionError(f"JSON accepts what dicts refuse: {error}") from error
    encoded = made.map_traces_json(body, **headers)
    found = difference(events, json.loads(encoded, parse_constant=_refuse_constant))
    assert found is None, f"dicts and JSON differ in the {mapper}: {found}"
    rejected = len(made.rejected) if mapper == "reference" else len(made.map_batch(body, **headers).errors)
    return Outcome(events, rejected=rejected)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def disagreement(core: Outcome, slow: Outcome) -> str | None:
    """How two outcomes differ, or None. Messages may differ, classes of error may not."""
    if core.error != slow.error:
        return (
            f"core: {core.error or 'no error'} ({core.message}); reference: {slow.error or 'no error'} ({slow.message})"
        )
    if core.rejected != slow.rejected:
        return f"the core left out {core.rejected} spans, the reference {slow.rejected}"
    return difference(core.events, slow.events)
