"""A plan is signed on a decision to treat; its series is booked, moved and cancelled with reasons."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.actions import (
    PlanChoices,
    book_series,
    cancel_booking,
    change_plan,
    end_plan,
    miss_booking,
    move_booking,
    sign_plan,
)
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.queries import (
    active_plan,
    awaiting_plan,
    bookings_on,
    next_booking,
    next_bookings,
    session_dose_mg,
)
from ketaclinic.policy.actions import sign_room
from ketaclinic.policy.queries import unsigned_policies
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.screening.models import CandidacyDecision, VitalSign
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_patient, make_staff

TOMORROW = date(2026, 11, 24)


def decide(patient: Patient, by: Staff, product: str = "esketamine-nasal", verdict: str = "treat") -> None:
    row = {"clinic": patient.clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": by}
    stored = StoredDecision.objects.create(
        **row, room="screening", question="candidacy", outcome="candidate", rule_pack="x", facts={}, decision={}
    )
    CandidacyDecision.objects.create(**row, product=product, verdict=verdict, reason="Synthetic.", decision=stored)


def weigh(patient: Patient, by: Staff, kg: str, at: datetime) -> None:
    VitalSign.objects.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=at,
        recorded_by=by,
        kind="weight",
        value=kg,
        unit="kg",
    )


def signed(patient: Patient, by: Staff, dose: str = "84", **fields: object) -> Plan:
    decide(patient, by)
    choices = PlanChoices(dose=Decimal(dose), starts_on=TOMORROW, **fields)
    return sign_plan(patient=patient, protocol_id="esketamine-trd-us", choices=choices, by=by, at=NOON)


def booked(patient: Patient, by: Staff) -> list[Booking]:
    plan = signed(patient, by)
    return list(book_series(plan=plan, by=by, at=NOON, starts_at=time(9)).bookings)


def test_a_plan_needs_a_decision_to_treat(patient: Patient, prescriber: Staff) -> None:
    choices = PlanChoices(dose=Decimal(84), starts_on=TOMORROW)
    with pytest.raises(Refusal, match="nobody has decided"):
        sign_plan(patient=patient, protocol_id="esketamine-trd-us", choices=choices, by=prescriber, at=NOON)
    decide(patient, prescriber, verdict="wait")
    with pytest.raises(Refusal, match="Wait"):
        sign_plan(patient=patient, protocol_id="esketamine-trd-us", choices=choices, by=prescriber, at=NOON)


def test_a_signed_plan_stands_and_leaves_its_line(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    decide(patient, prescriber)
    assert list(awaiting_plan(clinic, NOON)) == [patient]
    choices = PlanChoices(dose=Decimal(84), starts_on=TOMORROW)
    plan = sign_plan(patient=patient, protocol_id="esketamine-trd-us", choices=choices, by=prescriber, at=NOON)
    assert active_plan(patient, NOON) == plan
    assert not awaiting_plan(clinic, NOON).exists()
    assert (session_dose_mg(plan, 1), session_dose_mg(plan, 2)) == (Decimal("56.0"), Decimal("84.0"))
    assert TimelineEntry.objects.filter(patient=patient, kind="plan_signed").exists()
    with pytest.raises(Refusal, match="another plan stands"):
        sign_plan(patient=patient, protocol_id="esketamine-trd-us", choices=choices, by=prescriber, at=NOON)


def test_a_dose_above_the_maximum_is_refused_by_name(patient: Patient, prescriber: Staff) -> None:
    with pytest.raises(Refusal, match="SPR-DOS-06"):
        signed(patient, prescriber, dose="112", reason="Asked for.")
    assert not Plan.objects.exists()


def test_a_dose_off_the_table_passes_with_a_reason(patient: Patient, prescriber: Staff) -> None:
    with pytest.raises(Refusal, match="SPR-DOS-02"):
        signed(patient, prescriber, dose="28")
    other = make_patient(patient.clinic)
    assert signed(other, prescriber, dose="28", reason="Very sensitive.").customised["reason"] == "Very sensitive."


def test_an_infusion_plan_needs_signed_policies_and_a_weight(patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber, "ketamine-iv")
    choices = PlanChoices(dose=Decimal("0.5"), starts_on=TOMORROW)

    def sign() -> Plan:
        return sign_plan(patient=patient, protocol_id="ketamine-iv-clinic", choices=choices, by=prescriber, at=NOON)

    with pytest.raises(Refusal, match="KC-PRO-IV-01"):
        sign()
    unsigned = [r.rule_id for r in unsigned_policies(patient.clinic, NOON, "planning")]
    sign_room(room="planning", rule_ids=unsigned, by=prescriber, at=NOON)
    with pytest.raises(Refusal, match="no weight is on record"):
        sign()
    weigh(patient, prescriber, "80.0", NOON - timedelta(days=2))
    with pytest.raises(Refusal, match="no earlier weight"):
        sign()
    weigh(patient, prescriber, "81.0", NOON - timedelta(days=1))
    plan = sign()
    assert (plan.dose_mg, plan.weight_kg) == (Decimal("40.5"), Decimal("81.0"))


def test_a_change_keeps_the_version_before(patient: Patient, prescriber: Staff) -> None:
    plan = signed(patient, prescriber)
    later = NOON + timedelta(hours=1)
    choices = PlanChoices(dose=Decimal(56), starts_on=TOMORROW)
    with pytest.raises(Refusal, match="no reason"):
        change_plan(plan=plan, choices=choices, reason=" ", by=prescriber, at=later)
    changed = change_plan(plan=plan, choices=choices, reason="Too drowsy.", by=prescriber, at=later)
    assert (active_plan(patient, later), active_plan(patient, NOON)) == (changed, plan)
    assert changed.course_id == plan.pk
    with pytest.raises(Refusal, match="no longer stands"):
        change_plan(plan=plan, choices=choices, reason="Again.", by=prescriber, at=later)


def test_the_series_is_booked_without_taking_a_chair_twice(clinic: Clinic, prescriber: Staff) -> None:
    clinic.chairs = 1
    clinic.save()
    first, second = (booked(make_patient(clinic), prescriber) for _ in range(2))
    assert len(first) == len(second) == 14
    for one, two in zip(first, second, strict=True):
        assert two.starts_at >= one.ends_at
    assert list(bookings_on(clinic, TOMORROW)) == [first[0], second[0]]
    again = book_series(plan=first[0].plan, by=prescriber, at=NOON, starts_at=time(9))
    assert again.bookings == ()


def test_a_moved_session_keeps_its_old_time(patient: Patient, prescriber: Staff) -> None:
    booking = booked(patient, prescriber)[1]
    to = booking.starts_at + timedelta(days=1)
    moved = move_booking(booking=booking, starts_at=to, reason="A funeral.", by=prescriber, at=NOON)
    assert moved.amends == booking
    assert booking not in Booking.objects.standing()
    with pytest.raises(Refusal, match="no longer stands"):
        move_booking(booking=booking, starts_at=to, reason="Again.", by=prescriber, at=NOON)


def test_the_front_desk_does_not_crowd_a_week(patient: Patient, prescriber: Staff) -> None:
    desk = make_staff(patient.clinic, Role.FRONT_DESK)
    third = booked(patient, prescriber)[2]
    to = third.starts_at - timedelta(days=6)
    with pytest.raises(Refusal, match="SPR-DOS-02"):
        move_booking(booking=third, starts_at=to, reason="Wish.", by=desk, at=NOON)
    assert move_booking(booking=third, starts_at=to, reason="Decided.", by=prescriber, at=NOON).pk


@pytest.mark.parametrize(
    ("shift", "chair", "told"),
    [(-30, None, "past"), (3, None, "already has a session"), (1, 99, "no chair 99")],
)
def test_a_move_that_cannot_be_is_refused(
    patient: Patient, prescriber: Staff, shift: int, chair: int | None, told: str
) -> None:
    first = booked(patient, prescriber)[0]
    with pytest.raises(Refusal, match=told):
        move_booking(
            booking=first,
            starts_at=first.starts_at + timedelta(days=shift),
            chair=chair,
            reason="Wish.",
            by=prescriber,
            at=NOON,
        )


def test_cancelled_and_missed_sessions_no_longer_stand(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    rows = booked(patient, prescriber)
    cancel_booking(booking=rows[0], reason="A cold.", by=prescriber, at=NOON)
    assert next_booking(patient, NOON) == rows[1]
    assert next_bookings(clinic, [patient.pk], NOON) == {patient.pk: rows[1]}
    with pytest.raises(Refusal, match="not come yet"):
        miss_booking(booking=rows[1], reason="", by=prescriber, at=NOON)
    assert miss_booking(booking=rows[1], reason="", by=prescriber, at=rows[1].ends_at).kind == "missed"


def test_the_end_of_a_plan_cancels_what_is_to_come(patient: Patient, prescriber: Staff) -> None:
    plan = booked(patient, prescriber)[0].plan
    end_plan(plan=plan, why="no_benefit", reason="No change.", by=prescriber, at=NOON)
    assert active_plan(patient, NOON) is None
    assert not Booking.objects.standing().filter(patient=patient).exists()


def test_the_page_shows_the_dates_before_anything_is_signed(as_prescriber: Client, patient: Patient) -> None:
    decide(patient, as_prescriber_staff(patient))
    path = f"/planning/{patient.pk}/"
    assert "Choose" in as_prescriber.get(path).content.decode()
    page = as_prescriber.get(path, {"protocol": "esketamine-trd-us"}).content.decode()
    assert "SPR-DOS-03" in page
    assert "Sign the plan" in page
    assert not Plan.objects.exists()


def as_prescriber_staff(patient: Patient) -> Staff:
    found: Staff = Staff.objects.of(patient.clinic).get(is_medical_director=True)
    return found


def test_a_plan_is_signed_booked_and_moved_on_the_page(as_prescriber: Client, patient: Patient) -> None:
    decide(patient, as_prescriber_staff(patient))
    first = (date.today() + timedelta(days=7)).isoformat()
    path, data = f"/planning/{patient.pk}/", {"protocol": "esketamine-trd-us", "dose": "84", "starts_on": first}
    refused = as_prescriber.post(f"{path}sign/", {**data, "dose": "112"})
    assert refused.status_code == 409
    assert "SPR-DOS-06" in refused.content.decode()
    assert "is signed" in as_prescriber.post(f"{path}sign/", data, follow=True).content.decode()
    plan = Plan.objects.get()
    form = {"starts_at": "09:00", "weeks": "4"}
    assert (
        "8 sessions are booked"
        in as_prescriber.post(f"/planning/plan/{plan.pk}/book/", form, follow=True).content.decode()
    )
    booking = Booking.objects.order_by("starts_at").first()
    assert booking is not None
    assert as_prescriber.get(f"/planning/booking/{booking.pk}/").status_code == 200
    reply = as_prescriber.post(f"/planning/booking/{booking.pk}/cancel/", {"reason": "Ill."}, follow=True)
    assert "is cancelled" in reply.content.decode()


def test_the_front_desk_sees_sessions_and_nothing_clinical(patient: Patient, prescriber: Staff) -> None:
    booked(patient, prescriber)
    desk = Client()
    desk.force_login(make_staff(patient.clinic, Role.FRONT_DESK).user)
    page = desk.get(f"/planning/{patient.pk}/").content.decode()
    assert "Book the series" in page
    for clinical in ("84 mg", "56 mg", "Esketamine", "Induction", "Plan signed", "End the plan"):
        assert clinical not in page
