"""What a caller can choose; the same names and defaults as the core's."""

from __future__ import annotations

from dataclasses import dataclass, field

from .limits import Limits
from .rules import UserRules

RESOURCE_NOISE = ("host.", "process.", "os.", "telemetry.")


@dataclass(frozen=True)
class Options:
    """The options of one mapper; see `spanmap.reference.Mapper` for what each does."""

    compat: str = "best"
    prefixes: tuple[str, ...] | None = None
    drop_resource_prefixes: tuple[str, ...] = RESOURCE_NOISE
    limits: Limits = field(default_factory=Limits)
    on_error: str = "raise"
    privacy_mode: bool = False
    rules: UserRules = field(default_factory=UserRules)
