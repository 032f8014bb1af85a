"""The next session is proposed from a signed plan; the prescriber accepts, chooses another day, or stops."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.followup.actions import record_answers
from ketaclinic.maintenance.actions import answer_proposal, evaluate_benefit
from ketaclinic.maintenance.models import NextSessionAnswer
from ketaclinic.maintenance.queries import answers_of, due_list, evaluations_of, next_due
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.planning.actions import PlanChoices, book_next, book_series, change_plan, miss_booking
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.record.models import TimelineEntry
from ketaclinic.treatment.models import Session
from ketacore.evidence import Fact, Refusal
from tests.clinic.planning.test_planning import signed
from tests.clinic.treatment_screens.floor import device
from tests.support.clock import install
from tests.support.people import NOON, make_clinic, make_patient, make_staff

DAY = timedelta(days=1)
FIRST = date(2026, 11, 24)


@pytest.fixture
def plan(patient: Patient, prescriber: Staff) -> Plan:
    return signed(patient, prescriber)


@pytest.fixture
def bookings(plan: Plan, prescriber: Staff) -> list[Booking]:
    return list(book_series(plan=plan, by=prescriber, at=NOON, starts_at=time(9)).bookings)


def give(plan: Plan, by: Staff, at: datetime) -> None:
    row = {"clinic": plan.clinic, "patient": plan.patient, "at": at, "recorded_at": at, "recorded_by": by}
    key = f"given-{at:%Y%m%d}-{plan.pk}"
    session = Session.objects.create(
        **row, plan=plan, product=plan.product, chair=1, dose_mg=Decimal(56), entry_key=key
    )
    device(session, by, at, 1)


def test_without_a_plan_there_is_no_proposal(patient: Patient, prescriber: Staff) -> None:
    assert next_due(patient, NOON) is None
    with pytest.raises(Refusal, match="no plan stands"):
        answer_proposal(patient=patient, answer="stop", by=prescriber, at=NOON, reason="x")


def test_a_plan_proposes_its_first_day_and_then_the_next(plan: Plan, patient: Patient, prescriber: Staff) -> None:
    due = next_due(patient, NOON)
    assert due is not None and due.booking is None
    assert (due.proposal.outcome, due.proposal.due_on) == ("not_started", FIRST)
    give(plan, prescriber, NOON + DAY)
    due = next_due(patient, NOON + 2 * DAY)
    assert due is not None
    assert (due.proposal.outcome, due.proposal.due_on) == ("proposed", FIRST + 3 * DAY)
    assert [d.patient for d in due_list(patient.clinic, NOON + 2 * DAY)] == [patient]


def test_the_acceptance_moves_the_booking(bookings: list[Booking], patient: Patient, prescriber: Staff) -> None:
    give(bookings[0].plan, prescriber, bookings[0].starts_at)
    at = NOON + 2 * DAY
    kept = answer_proposal(patient=patient, answer="accept", next_on=FIRST + 3 * DAY, by=prescriber, at=at)
    assert kept.booking == bookings[1]
    moved = answer_proposal(patient=patient, answer="accept", next_on=FIRST + 4 * DAY, by=prescriber, at=at)
    assert moved.booking is not None and moved.booking.amends == bookings[1]
    assert (moved.proposed_from, moved.proposed_until) == (FIRST + DAY, FIRST + 6 * DAY)
    assert moved.decision.outcome == "proposed"
    assert list(answers_of(patient, at)) == [moved, kept]
    assert TimelineEntry.objects.filter(title="Next session: 28 Nov 2026").exists()
    assert str(moved) == "A day inside the proposed window: 2026-11-28"


def test_another_day_or_none_with_a_reason(plan: Plan, patient: Patient, prescriber: Staff) -> None:
    values = {"patient": patient, "by": prescriber, "at": NOON}
    other = answer_proposal(answer="other_date", next_on=FIRST + 9 * DAY, reason="Away.", **values)
    assert other.booking is not None
    local = other.booking.starts_at.astimezone(patient.clinic.zone)
    assert (local.date(), local.time(), other.booking.number) == (FIRST + 9 * DAY, time(9), 1)
    stop = answer_proposal(answer="stop", reason="Enough for now.", **values)
    assert str(stop) == "No further session now: no day"


@pytest.mark.parametrize(
    ("answer", "days", "reason", "told"),
    [
        ("", 0, "", "no answer was chosen"),
        ("accept", None, "", "no day was chosen"),
        ("accept", 9, "", "outside the proposed window"),
        ("accept", -5, "", "has passed"),
        ("other_date", 9, " ", "no reason was given"),
        ("stop", None, "", "no reason was given"),
        ("stop", 2, "x", "does not fit"),
    ],
)
def test_an_answer_that_does_not_hold_together(
    plan: Plan, patient: Patient, prescriber: Staff, answer: str, days: int | None, reason: str, told: str
) -> None:
    next_on = None if days is None else FIRST + days * DAY
    with pytest.raises(Refusal, match=told):
        answer_proposal(patient=patient, answer=answer, next_on=next_on, reason=reason, by=prescriber, at=NOON)
    assert not NextSessionAnswer.objects.exists()


def test_only_prescribers_of_the_clinic_answer(plan: Plan, patient: Patient, nurse: Staff) -> None:
    for by in (nurse, make_staff(make_clinic(name="Other"))):
        with pytest.raises(PermissionDenied):
            answer_proposal(patient=patient, answer="stop", reason="x", by=by, at=NOON)


def test_missed_sessions_count_from_the_last_one_given(
    bookings: list[Booking], patient: Patient, prescriber: Staff
) -> None:
    for booking in bookings[:2]:
        miss_booking(booking=booking, reason="", by=prescriber, at=booking.ends_at)

    def missed(at: datetime) -> Fact[int]:
        due = next_due(patient, at)
        assert due is not None
        return due.facts.sessions_missed

    assert missed(bookings[1].ends_at).value == 2
    give(bookings[2].plan, prescriber, bookings[2].starts_at)
    assert missed(bookings[2].ends_at).value == 0
    miss_booking(booking=bookings[3], reason="", by=prescriber, at=bookings[3].ends_at)
    assert missed(bookings[3].ends_at).value == 1
    choices = PlanChoices(dose=Decimal(56), starts_on=bookings[4].planned_on)
    at = bookings[3].ends_at + DAY
    change_plan(plan=bookings[0].plan, choices=choices, reason="Drowsy.", by=prescriber, at=at)
    assert missed(at).value == 1


def test_the_course_of_scores_is_told(plan: Plan, patient: Patient, prescriber: Staff) -> None:
    def fill(key: str, each: int, at: datetime) -> None:
        answers: dict[str, int | None] = {f"q{n}": each for n in range(1, 9)} | {"q9": 0}
        record_answers(patient=patient, instrument="phq9", answers=answers, entry_key=key, by=prescriber, at=at)

    fill("a", 2, NOON)
    give(plan, prescriber, NOON + DAY)
    fill("b", 1, NOON + 2 * DAY)
    due = next_due(patient, NOON + 3 * DAY)
    assert due is not None
    assert (due.facts.improvement_percent.value, due.facts.holds_response.value) == (50, True)


def test_the_proposal_on_the_page(
    as_prescriber: Client, plan: Plan, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, NOON)
    path = f"/maintenance/{patient.pk}/"
    assert "A proposal, not an order" in as_prescriber.get(path).content.decode()
    assert as_prescriber.post(f"{path}answer/", {}).status_code == 200
    refused = as_prescriber.post(f"{path}answer/", {"answer": "stop"})
    assert (refused.status_code, "no reason was given" in refused.content.decode()) == (409, True)
    sent = {"answer": "accept", "next_on": FIRST.isoformat()}
    page = as_prescriber.post(f"{path}answer/", sent, follow=True).content.decode()
    assert "Answer recorded. Booked: Tue 24 Nov 2026, 09:00." in page


def test_the_next_session_is_booked_after_the_series(
    bookings: list[Booking], patient: Patient, prescriber: Staff
) -> None:
    plan = bookings[0].plan
    for booking in bookings:
        give(plan, prescriber, booking.starts_at)
    last = bookings[-1]
    at = last.ends_at + DAY
    answered = answer_proposal(
        patient=patient,
        answer="other_date",
        next_on=last.planned_on + 7 * DAY,
        reason="Weekly.",
        by=prescriber,
        at=at,
    )
    assert answered.booking is not None
    assert (answered.booking.number, answered.booking.phase) == (last.number + 1, "maintenance")
    assert TimelineEntry.objects.filter(title=f"Session {last.number + 1} booked").exists()
    patient.clinic.chairs = 0
    patient.clinic.save()
    with pytest.raises(Refusal, match="no chair is free"):
        book_next(plan=plan, on=last.planned_on + 14 * DAY, by=prescriber, at=at)


def test_the_benefit_is_evaluated_and_the_proposal_no_longer_asks(
    plan: Plan, patient: Patient, prescriber: Staff, nurse: Staff
) -> None:
    give(plan, prescriber, NOON + DAY)
    at = NOON + 29 * DAY
    asked = next_due(patient, at)
    assert asked is not None and asked.facts.evaluated_on.value is None
    values = {"patient": patient, "by": prescriber, "at": at}
    for wrong in ({"benefit": "", "reason": "x"}, {"benefit": "benefit", "reason": " "}):
        with pytest.raises(Refusal, match=r"no judgement|no reason"):
            evaluate_benefit(**wrong, **values)
    for by in (nurse, make_staff(make_clinic(name="Other"))):
        with pytest.raises(PermissionDenied):
            evaluate_benefit(benefit="benefit", reason="x", patient=patient, by=by, at=at)
    row = evaluate_benefit(benefit="worse", reason="PHQ-9 from 12 to 19.", **values)
    assert str(row).startswith("Worse than before") and list(evaluations_of(patient, at)) == [row]
    told = next_due(patient, at)
    assert told is not None
    assert told.facts.evaluated_on.value == (at.astimezone(patient.clinic.zone)).date()
    assert told.facts.worse.value is True
    assert told.proposal.decide != asked.proposal.decide
    give(plan, prescriber, at + 2 * DAY)
    since = next_due(patient, at + 3 * DAY)
    assert since is not None and since.facts.worse.value is None
    with pytest.raises(Refusal, match="no plan stands"):
        evaluate_benefit(patient=make_patient(patient.clinic), benefit="none", reason="x", by=prescriber, at=at)


def test_the_benefit_on_the_page(as_prescriber: Client, plan: Plan, patient: Patient) -> None:
    path = f"/maintenance/{patient.pk}/benefit/"
    assert "Not saved yet." in as_prescriber.post(path, {"benefit-benefit": "benefit"}).content.decode()
    sent = {"benefit-benefit": "unclear", "benefit-reason": "Too early to say."}
    page = as_prescriber.post(path, sent, follow=True).content.decode()
    assert "The benefit is evaluated." in page and "Too early to say." in page
    empty = make_patient(patient.clinic)
    assert as_prescriber.post(f"/maintenance/{empty.pk}/benefit/", sent).status_code == 409


def test_without_a_plan_the_page_says_so(as_nurse: Client, patient: Patient) -> None:
    assert "No plan stands" in as_nurse.get(f"/maintenance/{patient.pk}/").content.decode()
    assert as_nurse.post(f"/maintenance/{patient.pk}/answer/", {"answer": "stop"}).status_code == 403


def test_another_clinic_finds_nothing(client: Client, plan: Plan, patient: Patient) -> None:
    client.force_login(make_staff(make_clinic(name="Other")).user)
    assert client.get(f"/maintenance/{patient.pk}/").status_code == 404
    assert client.post(f"/maintenance/{patient.pk}/answer/", {"answer": "stop"}).status_code == 404


def test_the_list_does_not_ask_per_patient(
    clinic: Clinic, prescriber: Staff, django_assert_max_num_queries: object
) -> None:
    for _ in range(4):
        signed(make_patient(clinic), prescriber)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert len(due_list(clinic, NOON)) == 4
