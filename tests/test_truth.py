"""How much of what really happened the events tell, beside how much those of PostHog's own pipeline tell."""

from __future__ import annotations

import pytest

from judged import COUNTED_TWICE, judged, judged_posthog
from truth import report

MIN_PERCENT = 98
MIN_PERCENT_OF_A_FAMILY = 95
# Twins, and people whom only another span of the trace names, cannot be told from one span.
MIN_PERCENT_OF_SINGLE_SPANS = 96.5


def test_truth_is_told_better_than_by_posthog(mapper: str) -> None:
    ours, posthog = judged(mapper), judged_posthog()
    print("\n".join(report.table(ours, posthog)))
    assert ours.total.percent >= MIN_PERCENT, ours.wrong()
    assert ours.mean_over_libraries >= MIN_PERCENT, ours.wrong()
    behind = [name for name, share in posthog.families.items() if share.percent > ours.families[name].percent]
    assert behind == []
    assert ours.total.percent > posthog.total.percent


def test_no_family_is_told_badly(mapper: str) -> None:
    badly = {n: s for n, s in judged(mapper).families.items() if s.percent < MIN_PERCENT_OF_A_FAMILY}
    assert badly == {}, judged(mapper).wrong(*badly)


def test_hidden_texts_are_nowhere(mapper: str) -> None:
    assert judged(mapper).families["privacy"].judged >= 15
    assert judged(mapper).wrong("privacy") == []


def test_every_call_is_counted_once(mapper: str) -> None:
    wrong = judged(mapper).wrong("calls_generation", "calls_embedding")
    assert {verdict.scenario for verdict in wrong} == COUNTED_TWICE.keys()


def test_single_spans_still_tell_most(mapper: str) -> None:
    cut = judged(mapper, cut=True)
    print("\n".join(report.table(cut, judged_posthog())))
    assert cut.total.percent >= MIN_PERCENT_OF_SINGLE_SPANS, cut.wrong()


def test_the_judge_complains_about_what_it_is_told_wrong() -> None:
    """Without events nothing is right, and a pipeline that is known to lose facts is seen to lose them."""
    nothing = report.of_mapper(lambda _: [])
    # Only sums of nothing can be right by chance.
    assert {verdict.family for verdict in nothing.verdicts if verdict.is_right} <= {
        "input_tokens_sum",
        "output_tokens_sum",
    }
    assert judged_posthog().families["ttft"].right == 0
    assert judged_posthog().families["reasoning_tokens"].right == 0


@pytest.mark.parametrize("family", ["is_error", "tool_span", "tree_one_root", "custom", "cache_tokens"])
def test_facts_of_every_kind_are_there(family: str) -> None:
    assert judged_posthog().families[family].judged >= 16
