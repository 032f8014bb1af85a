"""A score in words: what it is, what became of it, and the decisions behind both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.people.models import Clinic
from ketacore import followup
from ketacore.evidence import Decision, Finding, Setting, State
from ketacore.followup import ScoreFacts

OUTCOME_WORDS = {
    followup.RESPONSE: "response",
    followup.PARTIAL: "partial response",
    followup.NONE: "no response",
    followup.WORSE: "worse than at the start",
    followup.UNDEFINED: "no percentage from a start of 0",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The three figures of a course and the findings they rest on; empty strings where nothing can be told."""

    total: int | None
    of: str
    when: str
    change: str
    change_caption: str
    percent: str
    percent_caption: str
    outcome: str
    findings: tuple[Finding, ...]


def outcome_words(
    facts: ScoreFacts,
    setting: Setting,
    newest: ScaleAnswer | None,
    baseline: ScaleAnswer | None,
    today: date,
    clinic: Clinic,
) -> Words:
    """Return the newest score in words; the baseline itself has no change."""
    highest = facts.scale.highest
    if newest is None or newest.total is None:
        return Words(None, f"of {highest}", "no score yet", "", "", "", "", "", ())
    day = clinic.day_of(newest.at)
    when = "today" if day == today else f"{day.day} {day:%b %Y}"
    told = f"{when}: {newest.band}"
    remission = followup.remission(facts.now, facts.scale, setting)
    if baseline is None or baseline == newest or baseline.total is None:
        word = "in remission" if remission.outcome == followup.REMISSION else "the start"
        return Words(newest.total, f"of {highest}", told, "", "", "", "", word, remission.findings)
    response = followup.response(facts.baseline, facts.now, facts.scale, setting)
    better = followup.percent_better(facts)
    word = _together(response, remission)
    return Words(
        total=newest.total,
        of=f"of {highest}",
        when=told,
        change=f"{newest.total - baseline.total:+d}".replace("-", "−"),
        change_caption=f"since the start ({baseline.total}){_threshold(facts, baseline.total, newest.total)}",
        percent="" if better is None else f"{int(abs(better))}",
        percent_caption=word if better is None else f"{'less' if better >= 0 else 'more'}: {word}",
        outcome=word,
        findings=(*response.findings, *remission.findings),
    )


def _together(response: Decision, remission: Decision) -> str:
    unsigned = any(f.state is State.NOT_EVALUATED for f in response.findings)
    word = OUTCOME_WORDS.get(response.outcome)
    if word is None:
        word = "no response; the finer bands are not signed" if unsigned else "cannot be told"
    if remission.outcome == followup.REMISSION:
        return f"{word}, in remission"
    if remission.outcome == followup.NO_REMISSION and response.outcome == followup.RESPONSE:
        return f"{word}, not remission"
    return word


def _threshold(facts: ScoreFacts, start: int, now: int) -> str:
    substantial, meaningful = facts.scale.change("substantial"), facts.scale.change("meaningful")
    moved = abs(now - start)
    if substantial is not None and moved >= substantial.points:
        return f": at least {substantial.points:g} points"
    if meaningful is not None and moved >= meaningful.points:
        return f": at least {meaningful.points:g} points"
    return f": less than {meaningful.points:g} points" if meaningful is not None else ""
