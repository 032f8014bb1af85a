"""The demo clinic: everybody synthetic, every stage inhabited, the floor in full swing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from ketaclinic.aftercare.facts import told
from ketaclinic.aftercare.models import InstructionsGiven
from ketaclinic.aftercare.queries import contacts_due
from ketaclinic.demo.build import build_demo
from ketaclinic.followup.models import Alert
from ketaclinic.maintenance.models import BenefitEvaluation
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening.queries import awaiting_decision
from ketaclinic.treatment.queries import arrivals, open_sessions
from ketacore.aftercare.ask import as_json


@pytest.mark.django_db
def test_the_demo_clinic() -> None:
    now = timezone.now()
    done: list[int] = []
    build_demo(at=now, seed=1, patients=60, progress=done.append)
    clinic = Clinic.objects.get()
    assert not Patient.objects.filter(synthetic=False).exists() and done[-1] == 60
    assert sorted(o.session.chair for o in open_sessions(clinic, now)) == [1, 2, 3, 4, 5, 6]
    assert arrivals(clinic, now).exists()
    assert awaiting_decision(clinic, now).exists() and Alert.objects.exists()
    assert not TimelineEntry.objects.filter(at__gt=now + timedelta(minutes=1)).exists()
    assert contacts_due(clinic, now) and BenefitEvaluation.objects.exists()
    for sheet in InstructionsGiven.objects.select_related("session__clinic")[:5]:
        assert sheet.content == as_json(told(sheet.session, now))
    assert not TimelineEntry.objects.filter(about_id__isnull=True).exclude(kind="import").exists()


HOURS = ("2026-11-30T02:31", "2026-11-01T01:30", "2027-03-14T03:10", "2027-01-01T00:10")
"""Around midnight, when the clocks change, when the year does: a demo may be started at any hour."""


@pytest.mark.django_db
@pytest.mark.same_on_every_database
@pytest.mark.parametrize("hour", HOURS)
def test_the_floor_is_full_at_any_hour(hour: str) -> None:
    now = datetime.fromisoformat(hour).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    build_demo(at=now, seed=1, patients=10)
    clinic = Clinic.objects.get()
    assert str(clinic.zone) == "America/New_York"
    assert sorted(o.session.chair for o in open_sessions(clinic, now)) == [1, 2, 3, 4, 5, 6]
    assert not TimelineEntry.objects.filter(at__gt=now + timedelta(minutes=1)).exists()
