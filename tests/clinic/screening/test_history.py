"""The history is written once; what changes is a new row with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening import actions, queries
from ketaclinic.screening.models import Allergy, HistoryAnswer, Procedure
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_clinic, make_patient, make_staff

LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ({"question": "shoe_size", "answer": "yes"}, "shoe_size is not a question"),
        ({"question": "blood_pressure", "answer": "yes"}, "not a question of the history"),
        ({"question": "pregnant", "answer": ""}, "nothing is not an answer"),
        ({"question": "pregnant", "answer": "given", "value": "x"}, "is not answered by given"),
        ({"question": "child_pugh", "answer": "yes"}, "is not answered by yes"),
        ({"question": "child_pugh", "answer": "given", "value": "D"}, "D is not a choice"),
        ({"question": "cardiovascular_event_on", "answer": "given", "value": ""}, "nothing is not a day"),
        ({"question": "cardiovascular_event_on", "answer": "given", "value": "2026-11-24"}, "in the future"),
    ],
)
def test_an_answer_is_refused(patient: Patient, nurse: Staff, told: dict[str, str], because: str) -> None:
    with pytest.raises(Refusal, match=because):
        actions.record_answer(patient=patient, by=nurse, at=NOON, **told)


def test_an_answer_is_not_overwritten_by_a_slip(patient: Patient, nurse: Staff) -> None:
    ask = {"patient": patient, "by": nurse, "at": NOON}
    first = actions.record_answer(**ask, question="child_pugh", answer="given", value="B")
    with pytest.raises(Refusal, match="was answered on 23 Nov 2026: Class B"):
        actions.record_answer(**ask, question="child_pugh", answer="not_known")
    with pytest.raises(Refusal, match="no reason was given"):
        actions.amend_answer(earlier=first, by=nurse, at=LATER, answer="not_known", reason=" ")
    second = actions.amend_answer(earlier=first, by=nurse, at=LATER, answer="not_known", reason="Mixed up.")
    with pytest.raises(Refusal, match="was corrected already"):
        actions.amend_answer(
            earlier=HistoryAnswer.objects.get(pk=first.pk), by=nurse, at=LATER, answer="not_known", reason="Again."
        )
    assert (str(first), str(second)) == ("child_pugh: B", "child_pugh: Not known")


def test_what_changes_with_life_may_be_asked_again(patient: Patient, nurse: Staff) -> None:
    for at, answer in ((NOON, "no"), (LATER, "yes")):
        actions.record_answer(patient=patient, by=nurse, at=at, question="pregnant", answer=answer)
    assert queries.answers(patient, LATER)["pregnant"].answer == "yes"


def test_the_indication_is_the_prescribers_to_say(patient: Patient, nurse: Staff) -> None:
    with pytest.raises(PermissionDenied):
        actions.record_answer(patient=patient, by=nurse, at=NOON, question="indication", answer="given", value="TRD")


@pytest.mark.parametrize(
    ("kind", "value", "value_2", "because"),
    [
        ("mood", 1, None, "mood is not a vital sign"),
        ("blood_pressure", 120, None, "two numbers"),
        ("blood_pressure", 80, 120, "80/120"),
        ("oxygen_saturation", 101, None, "101"),
        ("weight", 0, None, "0"),
    ],
)
def test_a_measurement_no_living_person_has_is_refused(
    patient: Patient, nurse: Staff, kind: str, value: int, value_2: int | None, because: str
) -> None:
    with pytest.raises(Refusal, match=because):
        actions.record_vital(patient=patient, by=nurse, at=NOON, kind=kind, value=value, value_2=value_2)


def test_a_measurement_is_shown_in_its_unit(patient: Patient, nurse: Staff) -> None:
    who = {"patient": patient, "by": nurse, "at": NOON}
    assert str(actions.record_vital(**who, kind="blood_pressure", value=128, value_2=82)) == "128/82 mmHg"
    assert str(actions.record_vital(**who, kind="temperature", value=36.6)) == "36.6 °C"


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ({"drug": " "}, "no name"),
        ({"drug": "x", "started_on": date(2026, 2, 1), "ended_on": date(2026, 1, 1)}, "ends before it begins"),
        ({"drug": "x", "ended_on": date(2026, 1, 1), "ongoing": True}, "still goes on"),
        ({"drug": "x", "started_on": date(2027, 1, 1)}, "in the future"),
    ],
)
def test_a_trial_is_refused(patient: Patient, nurse: Staff, told: dict[str, Any], because: str) -> None:
    with pytest.raises(Refusal, match=because):
        actions.record_trial(patient=patient, by=nurse, at=NOON, **told)


def test_a_trial_is_corrected_with_a_reason(patient: Patient, nurse: Staff) -> None:
    ask = {"patient": patient, "by": nurse}
    first = actions.record_trial(**ask, at=NOON, drug="Sertraline")
    fixed = actions.record_trial(
        **ask, at=LATER, drug="Sertraline", max_daily_dose_mg=Decimal("50.00"), amends=first, reason="Pharmacy list."
    )
    assert list(queries.trials(patient, LATER)) == [fixed]
    assert (str(first), str(fixed)) == ("Sertraline", "Sertraline 50 mg")


@pytest.mark.parametrize(
    ("ended_on", "because"),
    [(date(2026, 11, 24), "in the future"), (date(2025, 12, 31), "before it was begun")],
)
def test_a_medicine_is_stopped_on_a_day_that_can_be(
    patient: Patient, nurse: Staff, ended_on: date, because: str
) -> None:
    row = actions.record_medication(
        patient=patient, by=nurse, at=NOON, display="Theophylline", started_on=date(2026, 1, 1)
    )
    with pytest.raises(Refusal, match=because):
        actions.stop_medication(medication=row, by=nurse, at=LATER, ended_on=ended_on, reason="Switched.")
    assert list(queries.active_medications(patient, LATER)) == [row]


@pytest.mark.parametrize(
    ("days", "because"),
    [
        ({"onset_on": date(2026, 11, 24)}, "first day lies in the future"),
        ({"abated_on": date(2026, 11, 24)}, "last day lies in the future"),
        ({"onset_on": date(2026, 2, 1), "abated_on": date(2026, 1, 1)}, "ended before it began"),
    ],
)
def test_a_condition_has_days_that_can_be(patient: Patient, nurse: Staff, days: dict[str, date], because: str) -> None:
    with pytest.raises(Refusal, match=because):
        actions.record_problem(patient=patient, by=nurse, at=NOON, display="Asthma", **days)
    assert not queries.problems(patient).exists()


def test_a_medicine_does_not_begin_tomorrow(patient: Patient, nurse: Staff) -> None:
    who = {"patient": patient, "by": nurse, "at": NOON}
    with pytest.raises(Refusal, match="first day lies in the future"):
        actions.record_medication(**who, display="Theophylline", started_on=date(2026, 11, 24))
    actions.record_medication(**who, display="Theophylline", started_on=date(2026, 11, 23))


def test_refuting_an_allergy_is_the_prescribers_and_needs_a_reason(
    patient: Patient, nurse: Staff, prescriber: Staff
) -> None:
    row = actions.record_allergy(patient=patient, by=nurse, at=NOON, display="Latex", criticality="high")
    with pytest.raises(PermissionDenied):
        actions.refute_allergy(allergy=row, by=nurse, at=LATER, reason="No.")
    with pytest.raises(Refusal, match="no reason was given"):
        actions.refute_allergy(allergy=row, by=prescriber, at=LATER, reason=" ")
    refuted = actions.refute_allergy(allergy=row, by=prescriber, at=LATER, reason="Mixed up with another patient.")
    assert (refuted.amends, refuted.criticality, list(queries.allergies(patient))) == (row, "high", [])
    line = TimelineEntry.objects.get(about_id=refuted.pk, kind="allergy")
    assert (line.title, line.detail) == ("No allergy: Latex", "Mixed up with another patient.")


@pytest.mark.parametrize(("source_id", "here"), [("AllergyIntolerance/1", True), ("", False)])
def test_only_an_imported_row_is_marked_as_corrected_here(
    patient: Patient, prescriber: Staff, source_id: str, here: bool
) -> None:
    base = {"clinic": patient.clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": prescriber}
    row = Allergy.objects.create(**base, display="Latex", source_system="urn:other", source_id=source_id)
    refuted = actions.refute_allergy(allergy=row, by=prescriber, at=LATER, reason="No.")
    assert refuted.corrected_here is here
    assert refuted.as_sent == (row if here else refuted)


def test_a_nurse_does_not_refute(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    row = actions.record_problem(patient=patient, by=nurse, at=NOON, display="Stroke")
    with pytest.raises(PermissionDenied):
        actions.refute_problem(problem=row, by=nurse, at=LATER, reason="No.")
    actions.refute_problem(problem=row, by=prescriber, at=LATER, reason="No.")
    assert list(queries.problems(patient)) == []


def test_procedures_are_listed_newest_first(patient: Patient, nurse: Staff) -> None:
    base = {"clinic": patient.clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": nurse}
    for year in (2019, 2024):
        Procedure.objects.create(**base, display=f"Procedure of {year}", performed_on=date(year, 1, 1))
    assert [str(p) for p in queries.procedures(patient)] == ["Procedure of 2024", "Procedure of 2019"]


def test_staff_write_only_in_their_own_clinic(patient: Patient) -> None:
    stranger = make_staff(make_clinic(name="Another"), Role.NURSE)
    with pytest.raises(PermissionDenied):
        actions.record_allergy(patient=patient, by=stranger, at=NOON, display="Latex")


_FINDERS = [queries.answer_in, queries.problem_in, queries.medication_in, queries.trial_in, queries.allergy_in]


@pytest.mark.parametrize("find", _FINDERS)
def test_an_entry_of_nobody_is_not_found(patient: Patient, find: Callable[[Patient, int], Any]) -> None:
    with pytest.raises(Http404):
        find(make_patient(patient.clinic), 1)
