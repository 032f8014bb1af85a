"""Somebody who is in a chair now, in words: for whoever opens their chart in an emergency and sees no floor board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.treatment.presenters import trace, words
from ketaclinic.treatment.presenters.session import AlertLine, alert_line
from ketaclinic.treatment.presenters.tracks import minute_of
from ketaclinic.treatment.queries import OpenSession
from ketacore.evidence import Setting
from ketacore.treatment.alerts import Priority, alerts
from ketacore.treatment.phases import leave_not_before, phase


@dataclass(frozen=True, slots=True)
class InTheChair:
    """Where somebody sits, what they were given, what was measured; ``urgent`` what asks for somebody at once."""

    title: str
    urgent: tuple[AlertLine, ...]
    lines: tuple[str, ...]


def in_the_chair(found: OpenSession, setting: Setting, at: datetime) -> InTheChair:
    """Return a running session in words; ``setting`` is that of its product."""
    session, facts = found.session, found.facts
    minute = minute_of(facts, at)
    now = words.phase_word(phase(facts, at).value, nasal=facts.nasal)
    since = f", minute {minute}" if minute is not None else ""
    told = trace.words(facts, at, leave_not_before(facts)).split("; ")[1:]
    raised = (a for a in alerts(facts, at, setting).raised if a.priority is Priority.HIGH)
    return InTheChair(
        title=f"Chair {session.chair}: {words.given_line(session.product, session.dose_mg, facts, at)}. {now}{since}.",
        urgent=tuple(alert_line(alert) for alert in raised),
        lines=tuple(line[:1].upper() + line[1:] for line in told),
    )
