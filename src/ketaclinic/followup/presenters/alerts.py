"""Alerts as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.followup.models import Alert
from ketaclinic.people.permissions import Role
from ketacore import followup

SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert with its clock in words."""

    pk: int
    patient: object
    patient_id: int
    priority: str
    word: str
    title: str
    value: str
    owner: str
    clock: str
    state: str
    raised_at: datetime
    rule_id: str


def role_words(role: str) -> str:
    """Return a role as people say it."""
    return Role(role).label.lower() if role else ""


def alert_line(alert: Alert, at: datetime) -> AlertLine:
    """Return one alert; it was read with its loop."""
    state = state_of(alert, at)
    return AlertLine(
        pk=alert.pk,
        patient=alert.patient,
        patient_id=alert.patient_id,
        priority={"high": "high", "medium": "med"}[alert.priority],
        word={"high": "URGENT", "medium": "TODAY"}[alert.priority],
        title=alert.title,
        value=alert.value,
        owner=_owner(alert, state),
        clock=_clock(alert, state, at),
        state=state,
        raised_at=alert.at,
        rule_id=alert.rule_id,
    )


def state_of(alert: Alert, at: datetime) -> str:
    """Return where the loop stands, by the deadline that was set when the alert was raised."""
    if alert.closed_at is not None and alert.closed_at <= at:
        return followup.CLOSED
    if alert.acknowledged_at is not None and alert.acknowledged_at <= at:
        return followup.ACKNOWLEDGED
    if alert.due_at is None:
        return followup.NO_CLOCK
    return followup.ESCALATED if at > alert.due_at else followup.WAITING


def _owner(alert: Alert, state: str) -> str:
    if state in (followup.ACKNOWLEDGED, followup.CLOSED):
        return str(alert.acknowledged_by)
    owner = role_words(alert.owner_role)
    if state == followup.ESCALATED and alert.backup_role:
        return f"{owner}, and now {role_words(alert.backup_role)}"
    return owner


def _clock(alert: Alert, state: str, at: datetime) -> str:
    if state == followup.CLOSED:
        return "closed"
    if state == followup.ACKNOWLEDGED:
        return "taken, not closed"
    if alert.due_at is None:
        return "now: no deadline is signed"
    minutes = int((alert.due_at - at).total_seconds() // SECONDS_PER_MINUTE)
    return f"{_span(minutes)} left" if minutes >= 0 else f"{_span(-minutes)} late"


def _span(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
