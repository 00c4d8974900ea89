"""How the wire refuses: one message shape, with what, where, and what to do."""

from __future__ import annotations

from ...errors import DecodeError, LimitError


def damage(what: str, advice: str, *, offset: int = 0, path: str = "") -> DecodeError:
    """A `DecodeError`. `what` goes on from the path ("is not UTF-8"); `advice` is a full sentence."""
    message = f"{path or 'the body'} {what} (at byte {offset}). {advice}"
    return DecodeError(message, stage="wire", offset=offset, path=path)


def over_limit(cap: str, what: str, *, offset: int = 0, path: str = "") -> LimitError:
    """A `LimitError` that names the cap."""
    advice = f"Send less at once, or raise limits.{cap} if the sender is trusted."
    return LimitError(
        f"{path or 'the body'} {what} (at byte {offset}). {advice}", stage="wire", offset=offset, path=path
    )
