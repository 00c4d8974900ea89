"""What a caller can choose: the options of a mapper as a type for keyword arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict

import spanmap
from spanmap.user_rules import Rule


class MapperOptions(TypedDict, total=False):
    """The keyword arguments of `Mapper`, where each is explained."""

    compat: Literal["best", "posthog"]
    prefixes: Sequence[str] | None
    drop_resource_prefixes: Sequence[str] | None
    limits: spanmap.Limits | Mapping[str, int] | None
    on_error: Literal["raise", "skip"]
    privacy_mode: bool
    rules: Iterable[Rule] | str | os.PathLike[str] | None
