"""Both mappers, and PostHog's own pipeline, judged once each in a test run."""

from __future__ import annotations

from functools import cache

from mappers import MAPPERS
from truth import report
from truth.report import Report

# Scenarios in which calls are counted twice.
COUNTED_TWICE = {
    "openllmetry-0.62.4-a_errors": "two instrumentations trace each failed call in traces of their own; a failed call "
    "has no response id, and nothing else is on both spans",
}


@cache
def judged(mapper: str, cut: bool = False) -> Report:
    return report.of_mapper(MAPPERS[mapper].Mapper(compat="best").map_traces, cut=cut)


@cache
def judged_posthog() -> Report:
    return report.of_posthog()
