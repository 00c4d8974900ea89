"""Shares of facts told right: of all, by family, by library; beside those of PostHog's own pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import exports, facts
from .judge import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = Any
MapBody = Callable[[bytes], list[Json]]

WIDTH = 30


@dataclass(frozen=True)
class Share:
    right: int
    judged: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.judged

    def __str__(self) -> str:
        return f"{self.right:6d}/{self.judged:<6d}{self.percent:6.1f} %"


@dataclass(frozen=True)
class Report:
    verdicts: tuple[Verdict, ...]

    @property
    def total(self) -> Share:
        return _share(self.verdicts)

    @property
    def families(self) -> dict[str, Share]:
        return self._by(lambda verdict: verdict.family)

    @property
    def libraries(self) -> dict[str, Share]:
        return self._by(lambda verdict: verdict.library)

    @property
    def mean_over_libraries(self) -> float:
        shares = self.libraries.values()
        return sum(share.percent for share in shares) / len(shares)

    def wrong(self, *families: str) -> list[Verdict]:
        """The verdicts on facts told wrong; without families, all of them."""
        return [v for v in self.verdicts if not v.is_right and (not families or v.family in families)]

    def _by(self, key: Callable[[Verdict], str]) -> dict[str, Share]:
        grouped: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            grouped.setdefault(key(verdict), []).append(verdict)
        return {name: _share(grouped[name]) for name in sorted(grouped)}


def _share(verdicts: Iterable[Verdict]) -> Share:
    right = [verdict.is_right for verdict in verdicts]
    return Share(sum(right), len(right))


def of_mapper(map_body: MapBody, *, cut: bool = False) -> Report:
    """Judges a mapper on all scenarios; with `cut` it gets every span as a request of its own."""
    verdicts: list[Verdict] = []
    for scenario in facts.load():
        events = []
        for body in exports.bodies(scenario):
            for request in exports.one_request_per_span(body) if cut else [body]:
                events += map_body(request)
        verdicts += judge(scenario, _without_repeats(events))
    return Report(tuple(verdicts))


def of_posthog() -> Report:
    events = exports.events_of_posthog()
    return Report(tuple(verdict for s in facts.load() for verdict in judge(s, events.get(s.name, []))))


def _without_repeats(events: list[Json]) -> list[Json]:
    """PostHog keeps one of several events with the same uuid, such as the same trace made in two requests."""
    return list({event["uuid"]: event for event in events}.values())


def table(ours: Report, posthog: Report) -> Iterator[str]:
    """Lines for people: what we tell right, and beside it what PostHog's own pipeline does."""
    yield f"{'':{WIDTH}}{'spanmap':>21}{'PostHog':>21}"
    for ours_by, posthog_by in ((ours.families, posthog.families), (ours.libraries, posthog.libraries)):
        for name, share in ours_by.items():
            yield f"{name:{WIDTH}}{share!s:>21}{posthog_by.get(name, '-')!s:>21}"
        yield ""
    yield f"{'all facts':{WIDTH}}{ours.total!s:>21}{posthog.total!s:>21}"
    yield f"{'mean over libraries':{WIDTH}}{ours.mean_over_libraries:19.1f} %{posthog.mean_over_libraries:19.1f} %"
