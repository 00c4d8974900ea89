"""What spanmap raises. Every error says what is wrong, where, and what to do about it."""

from __future__ import annotations


class SpanmapError(Exception):
    """The root of everything that spanmap raises on purpose."""


class DecodeError(SpanmapError, ValueError):
    """The bytes are not what the OTLP specification says.

    Attributes:
        stage: The step of the pipeline that refused: `wire`, `span`, `dialect`, `event` or `sink`.
        offset: Byte offset into the decompressed body; 0 where only the path is known.
        path: The field, from the outside in: `resource_spans[0].scope_spans[0].spans[3].name`; empty for the
            body itself.
    """

    stage: str
    offset: int
    path: str

    def __init__(self, message: str, *, stage: str, offset: int, path: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.offset = offset
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        # Without this, an error could not travel between processes: pickle would call the class with the
        # message alone.
        return _rebuild, (type(self), str(self), self.stage, self.offset, self.path)


class LimitError(DecodeError):
    """The input passes one of the caps in `limits`; the message names the cap."""


class InputTypeError(SpanmapError, TypeError):
    """An argument has a Python type that spanmap does not take."""


class DeliveryError(SpanmapError):
    """Events could not be handed over to PostHog, or not yet.

    Attributes:
        reason: A short name; that of the counter where the events are lost.
        events: How many events it touches.
        lost: Whether they are lost; otherwise the client keeps trying.
    """

    reason: str
    events: int
    lost: bool

    def __init__(self, message: str, *, reason: str = "", events: int = 0, lost: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.events = events
        self.lost = lost


def _rebuild(kind: type[DecodeError], message: str, stage: str, offset: int, path: str) -> DecodeError:
    return kind(message, stage=stage, offset=offset, path=path)
