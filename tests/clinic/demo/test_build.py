"""The demo clinic: everybody synthetic, every stage inhabited, the floor in full swing."""

from __future__ import annotations

from datetime import timedelta

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
