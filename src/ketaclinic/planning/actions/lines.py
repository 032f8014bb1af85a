"""What every action of this room does: it works on a plan that stands, and it leaves a line."""

from __future__ import annotations

from datetime import datetime

from ketaclinic.people.models import Staff
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.queries import active_plan
from ketaclinic.record.actions import chronicle
from ketacore.evidence import Refusal


def check_stands(plan: Plan, at: datetime, refused: str) -> None:
    """Refuse unless this version of the plan stands."""
    standing = active_plan(plan.patient, at)
    if standing is None or standing.pk != plan.pk:
        raise Refusal(refused, ["this version of the plan no longer stands"], "Open the patient's plan again.")


def leave_line(
    about: Plan | Booking, by: Staff, at: datetime, kind: str, title: str, detail: str, amends: Plan | None = None
) -> None:
    """Write the line of the timeline that tells of a plan or a booking."""
    chronicle(
        patient=about.patient,
        by=by,
        at=at,
        recorded_at=at,
        stage="planning",
        kind=kind,
        title=title,
        detail=detail,
        about=about,
        amends=amends,
    )
