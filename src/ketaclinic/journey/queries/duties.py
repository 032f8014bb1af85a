"""What one member of staff has taken on and not finished: what others must take over when they leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.followup.models import AlertEvent
from ketaclinic.followup.queries import open_alerts
from ketaclinic.people.models import Patient, Staff
from ketaclinic.planning.queries import active_plans
from ketaclinic.treatment.queries import open_sessions


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that somebody else must take over, and for whom."""

    what: str
    patient: Patient


def duties_of(member: Staff, at: datetime) -> list[Duty]:
    """Return sessions they opened that still run, alerts they took, plans they signed that stand."""
    clinic = member.clinic
    running = [o.session.patient for o in open_sessions(clinic, at) if o.session.recorded_by_id == member.pk]
    taken = AlertEvent.objects.of(clinic).filter(kind=AlertEvent.Kind.ACKNOWLEDGED, recorded_by=member, at__lte=at)
    alerts = open_alerts(clinic, at).filter(pk__in=taken.values("alert_id")).select_related("patient")
    plans = active_plans(clinic, at).filter(signed_by=member).select_related("patient").order_by("pk")
    return [
        *(Duty("Session under way", patient) for patient in running),
        *(Duty("Alert taken, not closed", alert.patient) for alert in alerts),
        *(Duty("Plan signed, still running", plan.patient) for plan in plans),
    ]
