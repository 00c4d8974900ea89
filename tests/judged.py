"""Both mappers, and PostHog's own pipeline, judged once each in a test run."""

from __future__ import annotations

from functools import cache

from mappers import MAPPERS
from truth import report
from truth.report import Report


@cache
def judged(mapper: str, cut: bool = False) -> Report:
    return report.of_mapper(MAPPERS[mapper].Mapper(compat="best").map_traces, cut=cut)


@cache
def judged_posthog() -> Report:
    return report.of_posthog()
