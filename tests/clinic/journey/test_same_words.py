"""The chart says what the rooms say: the proposal, the screens, the consent, the decision about the plan's product."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ketaclinic.consent.models import ConsentText
from ketaclinic.consent.queries import valid_on
from ketaclinic.followup.actions import record_answers
from ketaclinic.journey.facts import facts_of
from ketaclinic.journey.presenters.chart import Chart, chart_of
from ketaclinic.journey.queries import chart_row, patient_page, way_of
from ketaclinic.maintenance.models import BenefitEvaluation
from ketaclinic.maintenance.queries import next_due
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.models import Booking, BookingChange, Plan, PlanEnd
from ketaclinic.planning.queries import active_plan
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import CandidacyDecision, VitalSign
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.surveillance.queries import screens_due
from ketacore.journey import Consent, Verdict, where
from tests.clinic.treatment.whole import ready_plan, sign_everything
from tests.support.clock import Clock
from tests.support.demo import demo_clinic
from tests.support.people import NOON

IV, NASAL = "ketamine-iv", "esketamine-nasal"
DAY = timedelta(days=1)


def chart(patient: Patient, at: datetime) -> Chart:
    return chart_of(chart_row(patient.clinic, patient.pk, at), at)


@pytest.fixture
def demo(db: None, clock: Clock) -> Clinic:
    return demo_clinic(at=clock.at, seed=7, patients=30)


def _agree(patient: Patient, at: datetime) -> int:
    """Say whether the patient has a proposal, after comparing what the chart and the two rooms say."""
    shown, due = chart(patient, at), next_due(patient, at)
    assert shown.proposal == (due.proposal if due else None)
    screens = [(s.screen.title, s.why) for s in screens_due(patient, at)]
    assert sorted((line.what, line.why) for line in shown.screens) == sorted(screens)
    return due is not None


def test_the_chart_proposes_what_maintenance_proposes(demo: Clinic, clock: Clock) -> None:
    assert sum(_agree(patient, clock.at) for patient in Patient.objects.all()) >= 5


def test_what_maintenance_knows_reaches_the_chart(demo: Clinic, clock: Clock) -> None:
    at = clock.at
    due = next(
        d
        for p in Patient.objects.all()
        if (d := next_due(p, at)) and len(d.facts.given_on) > 12 and d.plan.protocol_id == "esketamine-trd-us"
    )
    patient, prescriber = due.patient, Staff.objects.get(clinic=demo, role=Role.PRESCRIBER)
    row: dict[str, Any] = {"clinic": demo, "patient": patient, "at": at, "recorded_at": at, "recorded_by": prescriber}
    old = due.plan
    kept = {f.name: getattr(old, f.name) for f in Plan._meta.concrete_fields if f.name not in ("id", "amends")}
    plan = Plan.objects.create(
        **{**kept, **row, "amends": old, "first_id": old.course_id, "customised": {"interval_weeks": 2}}
    )
    booking = Booking.objects.create(
        **row, plan=plan, number=99, phase="weekly", planned_on=at.date(), starts_at=at, chair=1
    )
    BookingChange.objects.create(**row, booking=booking, kind="missed", reason="Synthetic")
    BenefitEvaluation.objects.create(**row, plan=plan, benefit="worse", reason="Synthetic")
    VitalSign.objects.create(**row, kind="blood_pressure", value=120, value_2=80, unit="mmHg")
    ScreenResult.objects.create(**row, kind="urinary", result="finding", entry_key="s1")
    worst = {f"q{n}": 3 for n in range(1, 10)}
    record_answers(patient=patient, instrument="phq9", answers=worst, entry_key="w", by=prescriber, at=at)
    later = at + timedelta(minutes=1)
    facts = next_due(patient, later)
    assert facts is not None
    assert (facts.facts.interval_weeks.value, facts.facts.sessions_missed.value) == (2, 1)
    assert facts.facts.worse.value is True and facts.facts.holds_response.value is False
    assert _agree(patient, later)
    assert chart(patient, later).proposal != due.proposal


def test_the_chart_and_the_list_say_what_the_consent_room_says(demo: Clinic, clock: Clock) -> None:
    for at in (clock.at, clock.at + timedelta(days=400)):
        said = []
        ways = {way.patient.pk: way for way in patient_page(demo, setting_of(demo, at), at).ways}
        for patient in Patient.objects.all():
            way = way_of(patient, at)
            facts = facts_of(way, demo, setting_of(demo, at))
            assert facts == facts_of(ways[patient.pk], demo, setting_of(demo, at))
            if not way.product:
                assert facts.consent is None
                continue
            dose = None
            if (plan := active_plan(patient, at)) is not None:
                dose = float(plan.dose_mg_per_kg or plan.dose_mg or 0)
            asked = valid_on(patient, way.product, at, dose)
            assert facts.consent == asked.outcome
            said.append(facts.consent)
        assert set(said) > {Consent.VALID} if at == clock.at else Consent.EXPIRED in said


@pytest.fixture
def treated(patient: Patient, prescriber: Staff) -> Patient:
    sign_everything(prescriber)
    ready_plan(patient, prescriber, IV)
    return patient


def stands(patient: Patient, at: datetime) -> tuple[Consent | None, str, str]:
    facts = facts_of(way_of(patient, at), patient.clinic, setting := setting_of(patient.clinic, at))
    standing = where(facts, setting)
    return facts.consent, standing.stage.value, standing.next.what if standing.next else ""


def test_a_consent_of_thirteen_months_is_not_called_signed(treated: Patient) -> None:
    assert stands(treated, NOON + DAY) == (Consent.VALID, "plan", "Book the first session")
    assert chart(treated, NOON + DAY).consent == "signed 23 Nov 2026"
    late = NOON + timedelta(days=400)
    assert stands(treated, late) == (Consent.EXPIRED, "consent", "Take consent anew")
    shown = chart(treated, late)
    assert shown.consent == "no longer stands, signed 23 Nov 2026"
    assert dict(shown.plan.rows if shown.plan else ())["Consent"] == "No longer stands, signed 23 Nov 2026"


@pytest.mark.parametrize(("product", "state"), [(IV, Consent.EXPIRED), (NASAL, Consent.VALID)])
def test_a_text_with_a_new_risk_ends_the_consent_for_its_product(
    treated: Patient, prescriber: Staff, product: str, state: Consent
) -> None:
    old = ConsentText.objects.filter(clinic=treated.clinic, product=product).earliest("pk")
    kept = {f.name: getattr(old, f.name) for f in ConsentText._meta.concrete_fields if f.name != "id"}
    when = {"effective_from": date(2026, 11, 25), "at": NOON}
    ConsentText.objects.create(**{**kept, **when, "version": "risk", "renews_earlier": True})
    assert stands(treated, NOON + DAY)[0] is Consent.VALID
    assert stands(treated, NOON + 2 * DAY)[0] is state
    assert valid_on(treated, IV, NOON + 2 * DAY, 0.5).outcome == state


def test_a_dose_beyond_the_text_and_one_nobody_knows(treated: Patient) -> None:
    way = way_of(treated, NOON + DAY)
    setting = setting_of(treated.clinic, NOON + DAY)
    assert way.plan is not None
    way.plan.dose_mg_per_kg = way.plan.dose_mg = None
    limited = way.signatures[0]
    assert limited.dose_limit is not None
    assert facts_of(way, treated.clinic, setting).consent is Consent.NOT_KNOWN
    way.plan.protocol_id, way.plan.dose_mg = "unheard-of", limited.dose_limit + 1  # type: ignore[assignment]
    assert facts_of(way, treated.clinic, setting).consent is Consent.EXPIRED


def decide(patient: Patient, by: Staff, product: str, verdict: str, at: datetime) -> None:
    row = {"clinic": patient.clinic, "patient": patient, "at": at, "recorded_at": at, "recorded_by": by}
    stored = StoredDecision.objects.create(
        **row, room="screening", question="candidacy", outcome="candidate", rule_pack="x", facts={}, decision={}
    )
    CandidacyDecision.objects.create(**row, product=product, verdict=verdict, reason="Synthetic.", decision=stored)


def test_a_decline_is_not_hidden_by_another_product(treated: Patient, prescriber: Staff) -> None:
    decide(treated, prescriber, NASAL, "treat", NOON + DAY)
    assert stands(treated, NOON + 2 * DAY)[2] == "Book the first session"
    decide(treated, prescriber, IV, "decline", NOON + 2 * DAY)
    assert stands(treated, NOON + 3 * DAY)[2] == "Decide whether treatment goes on"
    way = way_of(treated, NOON + 3 * DAY)
    assert (way.product, way.verdict) == (IV, "decline")
    (listed,) = patient_page(treated.clinic, setting_of(treated.clinic, NOON + 3 * DAY), NOON + 3 * DAY).ways
    assert listed.verdict == "decline"


def test_without_a_plan_a_decision_to_treat_any_product_counts(treated: Patient, prescriber: Staff) -> None:
    row = {"clinic": treated.clinic, "patient": treated, "recorded_by": prescriber}
    at = NOON + DAY
    plan = active_plan(treated, at)
    assert plan is not None
    PlanEnd.objects.create(**row, at=at, recorded_at=at, plan=plan, why="other", reason="Synthetic")
    decide(treated, prescriber, NASAL, "treat", NOON + 2 * DAY)
    decide(treated, prescriber, IV, "decline", NOON + 3 * DAY)
    way = way_of(treated, NOON + 4 * DAY)
    assert (way.product, way.verdict) == (NASAL, "treat")
    assert facts_of(way, treated.clinic, setting_of(treated.clinic, at)).verdict is Verdict.TREAT
    assert stands(treated, NOON + 4 * DAY)[:2] == (Consent.OTHER_ROUTE, "consent")
