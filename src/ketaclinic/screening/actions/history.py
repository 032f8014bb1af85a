"""Writing the history down and correcting it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction

from ketaclinic.audit.actions import write_audit
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may
from ketaclinic.record.actions import chronicle
from ketaclinic.record.models import ClinicalRow
from ketaclinic.screening import queries
from ketaclinic.screening.actions.again import assess_again
from ketaclinic.screening.models import (
    Allergy,
    AntidepressantTrial,
    HistoryAnswer,
    Medication,
    Problem,
    VitalSign,
)
from ketacore.evidence import Refusal
from ketacore.screening import QUESTIONS
from ketacore.units import BloodPressure, Height, ImpossibleValue, Percent, Rate, Weight

ASSESSED = (Problem, Medication, Allergy, HistoryAnswer)
"""What may speak against a treatment that was decided on before."""
STAGE = "screening"
"""The word of this room on the timeline."""

Row = TypeVar("Row", bound=ClinicalRow)


def _check_correction(amends: ClinicalRow | None, reason: str) -> None:
    if amends is None:
        return
    if not reason.strip():
        raise Refusal("Correcting", ["no reason was given"], "Say why the entry changes.")
    if getattr(amends, "amended_by", None) is not None:
        raise Refusal("Correcting", ["this entry was corrected already"], "Correct the newest one.")


def _write(
    model: type[Row],
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    recorded_at: datetime | None,
    what: str,
    title: str,
    amends: Row | None = None,
    reason: str = "",
    detail: str = "",
    **values: Any,
) -> Row:
    """Add one row with its line on the timeline and its entry in the log; a correction names the row it replaces."""
    check_may(by, Permission.RECORD_HISTORY)
    check_in_clinic(by, patient)
    _check_correction(amends, reason)
    recorded = recorded_at or at
    rows: Any = model.objects
    row: Row = rows.create(
        clinic=patient.clinic,
        patient=patient,
        at=at,
        recorded_at=recorded,
        recorded_by=by,
        amends=amends,
        amendment_reason=reason,
        **values,
    )
    chronicle(
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded,
        stage=STAGE,
        kind=what,
        title=title,
        detail=detail or reason,
        about=row,
        amends=amends,
    )
    action = f"amend_{what}" if amends is not None else f"record_{what}"
    write_audit(action, by=by, at=recorded, patient_id=patient.pk, obj=row, reason=reason)
    if model in ASSESSED:
        assess_again(patient=patient, by=by, at=recorded)
    return row


@transaction.atomic
def record_answer(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    question: str,
    answer: str,
    value: str = "",
    note: str = "",
    recorded_at: datetime | None = None,
) -> HistoryAnswer:
    """Write down the answer to one question of the history.

    A question that was answered already is refused, so that no answer disappears by a slip; ``amend_answer`` changes
    it with a reason. What changes with life (a pregnancy, the medicines) may be asked as often as needed.
    """
    earlier = queries.answers(patient, at).get(question)
    asked = QUESTIONS.get(question)
    if earlier is not None and asked is not None and not asked.changes:
        raise Refusal(
            "Answering",
            [f"“{asked.ask}” was answered on {earlier.at:%d %b %Y}: {_words(earlier.answer, earlier.value, question)}"],
            "Change the answer and say why.",
        )
    return _answer(patient, by, at, question, answer, value, note, recorded_at=recorded_at)


@transaction.atomic
def amend_answer(
    *, earlier: HistoryAnswer, by: Staff, at: datetime, answer: str, value: str = "", note: str = "", reason: str
) -> HistoryAnswer:
    """Replace an answer by another one, with the reason; the old one is kept."""
    return _answer(earlier.patient, by, at, earlier.question, answer, value, note, amends=earlier, reason=reason)


def _answer(
    patient: Patient,
    by: Staff,
    at: datetime,
    question: str,
    answer: str,
    value: str,
    note: str,
    *,
    recorded_at: datetime | None = None,
    amends: HistoryAnswer | None = None,
    reason: str = "",
) -> HistoryAnswer:
    _check_answer(by, question, answer, value, patient.clinic.day_of(at))
    words = _words(answer, value, question)
    return _write(
        HistoryAnswer,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="answer",
        title=f"{QUESTIONS[question].ask} {words}",
        detail=reason or note,
        amends=amends,
        reason=reason,
        question=question,
        answer=answer,
        value=value,
        note=note,
    )


def _check_answer(by: Staff, question: str, answer: str, value: str, today: date) -> None:
    asked = QUESTIONS.get(question)
    if asked is None or asked.kind not in ("yes_no", "choice", "date", "trials"):
        raise Refusal("Answering", [f"{question} is not a question of the history"], "Choose one from the page.")
    if asked.of == "prescriber":
        check_may(by, Permission.DECIDE_CANDIDACY)
    if answer not in HistoryAnswer.Answer.values:
        raise Refusal("Answering", [f"{answer or 'nothing'} is not an answer"], "Say yes, no or not known.")
    if answer == HistoryAnswer.Answer.NOT_KNOWN:
        return
    needs_value = asked.kind in ("choice", "date")
    if needs_value != (answer == HistoryAnswer.Answer.GIVEN):
        raise Refusal("Answering", [f"“{asked.ask}” is not answered by {answer}"], "Choose one of the offered answers.")
    if asked.kind == "choice" and value not in asked.choices:
        raise Refusal("Answering", [f"{value or 'nothing'} is not a choice"], "Choose one of the offered answers.")
    if asked.kind == "date":
        _check_day(value, today)


def _check_day(value: str, today: date) -> None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise Refusal("Answering", [f"{value or 'nothing'} is not a day"], "Give the day, month and year.") from None
    if day > today:
        raise Refusal("Answering", ["the day lies in the future"], "Check the day.")


def _words(answer: str, value: str, question: str) -> str:
    asked = QUESTIONS[question]
    if answer == HistoryAnswer.Answer.GIVEN:
        return asked.choices.get(value, value)
    return HistoryAnswer.Answer(answer).label


@transaction.atomic
def record_problem(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    display: str,
    status: str = Problem.Status.ACTIVE,
    onset_on: date | None = None,
    abated_on: date | None = None,
    recorded_at: datetime | None = None,
) -> Problem:
    """Write down a condition, now or in the past."""
    _check_days("Recording the condition", onset_on, abated_on, patient.clinic.day_of(at))
    return _write(
        Problem,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="problem",
        title=display,
        display=display,
        status=status,
        onset_on=onset_on,
        abated_on=abated_on,
    )


def _check_days(what: str, first: date | None, last: date | None, today: date) -> None:
    """Refuse days that cannot be: what was not there yet is no history."""
    because = []
    if first is not None and first > today:
        because.append("the first day lies in the future")
    if last is not None and last > today:
        because.append("the last day lies in the future")
    if first is not None and last is not None and last < first:
        because.append("it ended before it began")
    if because:
        raise Refusal(what, because, "Check the day.")


@transaction.atomic
def refute_problem(*, problem: Problem, by: Staff, at: datetime, reason: str) -> Problem:
    """Mark a problem as wrong, with the reason: a clinician settles what two sources tell differently."""
    check_may(by, Permission.DECIDE_CANDIDACY)
    return _write(
        Problem,
        patient=problem.patient,
        by=by,
        at=at,
        recorded_at=None,
        what="problem",
        title=f"Not the case: {problem.display}",
        amends=problem,
        reason=reason,
        code_system=problem.code_system,
        code=problem.code,
        display=problem.display,
        status=Problem.Status.REFUTED,
        onset_on=problem.onset_on,
        abated_on=problem.abated_on,
        source_system=problem.source_system,
        source_id=problem.source_id,
        corrected_here=bool(problem.source_id),
    )


@transaction.atomic
def record_medication(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    display: str,
    ingredient: str = "",
    dose_text: str = "",
    started_on: date | None = None,
    recorded_at: datetime | None = None,
) -> Medication:
    """Write down a medicine that is taken now."""
    _check_days("Recording the medicine", started_on, None, patient.clinic.day_of(at))
    return _write(
        Medication,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="medication",
        title=f"Takes {display} {dose_text}".strip(),
        display=display,
        ingredient=ingredient,
        dose_text=dose_text,
        started_on=started_on,
        status=Medication.Status.ACTIVE,
    )


@transaction.atomic
def stop_medication(*, medication: Medication, by: Staff, at: datetime, ended_on: date, reason: str) -> Medication:
    """Write down that a medicine is no longer taken, and why."""
    _check_last_day(medication, ended_on, medication.patient.clinic.day_of(at))
    return _write(
        Medication,
        patient=medication.patient,
        by=by,
        at=at,
        recorded_at=None,
        what="medication",
        title=f"Stopped {medication.display}",
        amends=medication,
        reason=reason,
        code_system=medication.code_system,
        code=medication.code,
        display=medication.display,
        ingredient=medication.ingredient,
        dose_text=medication.dose_text,
        started_on=medication.started_on,
        ended_on=ended_on,
        status=Medication.Status.STOPPED,
        source_system=medication.source_system,
        source_id=medication.source_id,
        corrected_here=bool(medication.source_id),
    )


def _check_last_day(medication: Medication, ended_on: date, today: date) -> None:
    """Refuse a day that has not come yet: until then the medicine is taken and must be seen."""
    if ended_on > today:
        raise Refusal("Stopping the medicine", ["the last day lies in the future"], "Write it down when it is over.")
    if medication.started_on is not None and ended_on < medication.started_on:
        raise Refusal("Stopping the medicine", ["it ended before it was begun"], "Check the day.")


@transaction.atomic
def record_allergy(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    display: str,
    criticality: str = "",
    recorded_at: datetime | None = None,
) -> Allergy:
    """Write down an allergy."""
    return _write(
        Allergy,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="allergy",
        title=f"Allergy: {display}",
        display=display,
        criticality=criticality,
        status=Problem.Status.ACTIVE,
    )


@transaction.atomic
def refute_allergy(*, allergy: Allergy, by: Staff, at: datetime, reason: str) -> Allergy:
    """Mark an allergy as wrong, with the reason; the entry is kept and counts no more."""
    check_may(by, Permission.DECIDE_CANDIDACY)
    return _write(
        Allergy,
        patient=allergy.patient,
        by=by,
        at=at,
        recorded_at=None,
        what="allergy",
        title=f"No allergy: {allergy.display}",
        amends=allergy,
        reason=reason,
        code_system=allergy.code_system,
        code=allergy.code,
        display=allergy.display,
        criticality=allergy.criticality,
        status=Problem.Status.REFUTED,
        source_system=allergy.source_system,
        source_id=allergy.source_id,
        corrected_here=bool(allergy.source_id),
    )


UNITS = {
    "blood_pressure": "mmHg",
    "heart_rate": "/min",
    "oxygen_saturation": "%",
    "respiratory_rate": "/min",
    "temperature": "°C",
    "weight": "kg",
    "height": "cm",
    "bmi": "kg/m2",
}
_QUANTITIES = {
    "heart_rate": Rate,
    "oxygen_saturation": Percent,
    "respiratory_rate": Rate,
    "weight": Weight,
    "height": Height,
}


@transaction.atomic
def record_vital(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    kind: str,
    value: Decimal | int | float,
    value_2: Decimal | int | float | None = None,
    recorded_at: datetime | None = None,
) -> VitalSign:
    """Write down a measurement in the clinic's unit; a value that no living person has is refused."""
    _check_vital(kind, value, value_2)
    shown = f"{value}/{value_2}" if value_2 is not None else f"{value}"
    return _write(
        VitalSign,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="vital",
        title=f"{VitalSign.Kind(kind).label} {shown} {UNITS[kind]}",
        value=Decimal(str(value)),
        value_2=None if value_2 is None else Decimal(str(value_2)),
        unit=UNITS[kind],
        kind=kind,
    )


def _check_vital(kind: str, value: Any, value_2: Any) -> None:
    if kind not in UNITS:
        raise Refusal("Recording", [f"{kind} is not a vital sign"], "Choose one from the list.")
    try:
        if kind == "blood_pressure":
            if value_2 is None:
                raise ImpossibleValue("a blood pressure has two numbers")
            BloodPressure(int(value), int(value_2))
        elif kind in _QUANTITIES:
            _QUANTITIES[kind](float(value))
    except ImpossibleValue as impossible:
        raise Refusal("Recording", [str(impossible)], "Check the number and the unit.") from None


@transaction.atomic
def record_trial(
    *,
    patient: Patient,
    by: Staff,
    at: datetime,
    drug: str,
    max_daily_dose_mg: Decimal | int | float | None = None,
    started_on: date | None = None,
    ended_on: date | None = None,
    ongoing: bool = False,
    days_at_dose: int | None = None,
    outcome: str = AntidepressantTrial.Outcome.UNKNOWN,
    reason_stopped: str = "",
    adherence: str = AntidepressantTrial.Adherence.UNKNOWN,
    current_episode: bool | None = None,
    source: str = "",
    recorded_at: datetime | None = None,
    amends: AntidepressantTrial | None = None,
    reason: str = "",
) -> AntidepressantTrial:
    """Write down an antidepressant that was tried, or correct one (``amends`` with a reason)."""
    _check_trial(drug, started_on, ended_on, ongoing, patient.clinic.day_of(at))
    dose = None if max_daily_dose_mg is None else Decimal(str(max_daily_dose_mg))
    return _write(
        AntidepressantTrial,
        patient=patient,
        by=by,
        at=at,
        recorded_at=recorded_at,
        what="trial",
        title=f"Antidepressant trial: {drug}" + (f" {dose.normalize():f} mg" if dose is not None else ""),
        detail=reason or AntidepressantTrial.Outcome(outcome).label,
        amends=amends,
        reason=reason,
        drug=drug.strip(),
        max_daily_dose_mg=dose,
        started_on=started_on,
        ended_on=ended_on,
        ongoing=ongoing,
        days_at_dose=days_at_dose,
        outcome=outcome,
        reason_stopped=reason_stopped,
        adherence=adherence,
        current_episode=current_episode,
        source=source,
    )


def _check_trial(drug: str, started_on: date | None, ended_on: date | None, ongoing: bool, today: date) -> None:
    because = []
    if not drug.strip():
        because.append("the drug has no name")
    if started_on is not None and ended_on is not None and ended_on < started_on:
        because.append("it ends before it begins")
    if ongoing and ended_on is not None:
        because.append("it has ended and still goes on")
    if any(day is not None and day > today for day in (started_on, ended_on)):
        because.append("a day lies in the future")
    if because:
        raise Refusal("Recording the trial", because, "Check drug and days.")
