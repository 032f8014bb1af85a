"""The planning pages: a plan is ended and a session moved on the page."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from ketaclinic.people.models import Patient, Staff
from tests.clinic.planning.test_planning import booked


def test_a_session_is_moved_and_the_plan_ended(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    rows = booked(patient, prescriber)
    path = f"/planning/booking/{rows[-1].pk}/"
    assert as_prescriber.post(path, {}).status_code in (200, 409, 422)
    plan = rows[0].plan
    for act in ("change", "end"):
        assert as_prescriber.post(f"/planning/plan/{plan.pk}/{act}/", {}).status_code in (200, 409, 422)
    assert as_prescriber.post(f"/planning/booking/{rows[-1].pk}/cancel/", {}).status_code in (200, 409, 422)
    done = as_prescriber.post(f"/planning/plan/{plan.pk}/end/", {"why": "no_benefit", "reason": "None."}, follow=True)
    assert done.status_code == 200
    assert rows[-1].starts_at > rows[0].starts_at + timedelta(days=7)
