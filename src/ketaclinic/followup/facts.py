"""From stored forms to the facts the core is asked with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.queries import baseline_among
from ketacore.evidence import Fact
from ketacore.followup import ScoreFacts
from ketacore.scales import SCALES


def total_fact(row: ScaleAnswer | None) -> Fact[int]:
    """Return a total as a fact: no form was not asked, a form without a number is not known."""
    if row is None:
        return Fact.not_asked()
    if row.total is None:
        return Fact.not_known("form incomplete", row.at)
    return Fact.of(row.total, f"form of {row.at:%Y-%m-%d}", row.at)


def score_facts(
    instrument: str, scores: Sequence[ScaleAnswer], now: ScaleAnswer | None, sessions_at: Sequence[datetime]
) -> ScoreFacts:
    """Return the facts of one score among all scores of its instrument.

    ``scores`` are in the order of time; ``sessions_at`` are the starts of the sessions given.
    """
    before = [row for row in scores if now is not None and row.at < now.at]
    previous = before[-1] if before else None
    return ScoreFacts(
        scale=SCALES[instrument],
        baseline=total_fact(baseline_among(scores, sessions_at[0] if sessions_at else None)),
        now=total_fact(now),
        previous=total_fact(previous),
        session_since_previous=_session_between(previous, now, sessions_at),
    )


def _session_between(
    previous: ScaleAnswer | None, now: ScaleAnswer | None, sessions_at: Sequence[datetime]
) -> Fact[bool]:
    if now is None:
        return Fact.not_asked()
    after = [at for at in sessions_at if at <= now.at and (previous is None or at >= previous.at)]
    return Fact.of(bool(after), "sessions given")
