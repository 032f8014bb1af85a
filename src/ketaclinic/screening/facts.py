"""The doorway to the core: rows of the record become facts about a candidate.

An imported problem, allergy or medicine can make a fact present; its absence never makes a fact absent. Where an
imported entry and an answer disagree, the core takes the more cautious value and names both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from ketaclinic.people.models import Patient
from ketaclinic.screening import queries
from ketaclinic.screening.models import AntidepressantTrial, HistoryAnswer, Medication
from ketaclinic.screening.queries import History
from ketacore.evidence import Fact, Known
from ketacore.screening import (
    QUESTIONS,
    RULES,
    Adherence,
    CandidateFacts,
    Medicine,
    Reason,
    Trial,
    TrialOutcome,
    cautious,
    fact_of_allergy,
    facts_of_problem,
)
from ketacore.units import BloodPressure, ImpossibleValue

ACTIVE = {"active", "recurrence", "relapse", "unknown"}
NO_TRIALS = "trials"
"""The question whose answer "no" says that no antidepressant was ever tried."""
LONGEST_RECENT = max(timedelta(days=r.number("recent_days")) for r in RULES if "recent_days" in r.parameters)
"""How far back any rule looks for a recent cardiovascular event."""


def candidate_facts(patient: Patient, at: datetime) -> CandidateFacts:
    """Return everything the record knows about the patient as a candidate at ``at``."""
    return facts_of(queries.history_of(patient, at))


def facts_of(history: History) -> CandidateFacts:
    """Return the facts in a history that was read before."""
    told = history.answers
    found = _found_in_record(history)
    facts: dict[str, Any] = {
        name: cautious([*found.get(name, ()), *_answer(told.get(name))])
        for name, question in QUESTIONS.items()
        if question.kind == "yes_no"
    }
    patient = history.patient
    facts["indication"] = _value(told.get("indication"))
    facts["child_pugh"] = _value(told.get("child_pugh"))
    facts["cardiovascular_event_on"] = _event_day(history)
    facts["age_years"] = Fact.of(patient.age_on(patient.clinic.day_of(history.at)), "date of birth")
    facts["blood_pressure"] = _blood_pressure(history)
    facts["trials"] = _trials(history)
    return CandidateFacts(**{**facts, **_medicines(history)})


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def _source(answer: HistoryAnswer) -> str:
    note = f", {answer.note}" if answer.note else ""
    return f"asked {_day(answer.at)} by {answer.recorded_by.display_name}{note}"


def _answer(answer: HistoryAnswer | None) -> list[Fact[bool]]:
    if answer is None:
        return []
    if answer.answer == HistoryAnswer.Answer.NOT_KNOWN:
        return [Fact.not_known(_source(answer), answer.at)]
    return [Fact.of(answer.answer == HistoryAnswer.Answer.YES, _source(answer), answer.at)]


def _value(answer: HistoryAnswer | None) -> Fact[str]:
    if answer is None:
        return Fact.not_asked()
    if answer.answer == HistoryAnswer.Answer.NOT_KNOWN:
        return Fact.not_known(_source(answer), answer.at)
    return Fact.of(answer.value, _source(answer), answer.at)


def _found_in_record(history: History) -> dict[str, list[Fact[bool]]]:
    found: dict[str, list[Fact[bool]]] = defaultdict(list)
    for problem in history.problems:
        since = f", {_day_of(problem.onset_on)}" if problem.onset_on else ""
        origin = "imported problem" if problem.imported else "problem list"
        for name in facts_of_problem(problem.display, active=problem.status in ACTIVE and problem.abated_on is None):
            found[name].append(Fact.of(True, f"{origin}: {problem.display}{since}", problem.at))
    for allergy in history.allergies:
        name_ = fact_of_allergy(allergy.display)
        if name_ is not None:
            found[name_].append(Fact.of(True, f"allergy list: {allergy.display}", allergy.at))
    return found


def _day_of(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _event_day(history: History) -> Fact[date]:
    """Return the day of the newest event. A recent day decides, whoever told it (DEC-17).

    Short of one, an event that nobody dated leaves the day open. The answer speaks of every event that stood in the
    record when it was given.
    """
    answer = history.answers.get("cardiovascular_event_on")
    events = [row for row in history.problems if "cardiovascular_event" in facts_of_problem(row.display, active=True)]
    days = [Fact.of(row.onset_on, f"problem list: {row.display}", row.at) for row in events if row.onset_on]
    if answer is not None and answer.value:
        days.append(Fact.of(date.fromisoformat(answer.value), _source(answer), answer.at))
    newest = max(days, key=lambda fact: fact.value or date.min, default=Fact[date].not_asked())
    today = history.patient.clinic.day_of(history.at)
    if newest.value is not None and today - newest.value <= LONGEST_RECENT:
        return _with_all_sources(newest, days, answer)
    if any(row.onset_on is None and (answer is None or row.recorded_at > answer.recorded_at) for row in events):
        return Fact.not_asked()
    if answer is not None and not answer.value:
        return Fact.not_known(_source(answer), answer.at)
    return _with_all_sources(newest, days, answer)


def _with_all_sources(newest: Fact[date], days: list[Fact[date]], answer: HistoryAnswer | None) -> Fact[date]:
    told = [f"{fact.source}: {_day_of(fact.value)}" for fact in days if fact.value is not None]
    if answer is not None and not answer.value:
        told.append(f"{_source(answer)}: not known")
    return newest if len(told) < 2 else replace(newest, source="; ".join(told))


def _blood_pressure(history: History) -> Fact[BloodPressure]:
    """Return the newest pressure measured since the person came to this clinic; an older imported one is no answer."""
    row = history.pressure
    if row is None or row.value_2 is None or row.at < history.patient.registered_at:
        return Fact.not_asked()
    try:
        pressure = BloodPressure(int(row.value), int(row.value_2))
    except ImpossibleValue:
        return Fact.not_asked()
    return Fact.of(pressure, f"measured {_day(row.at)}", row.at)


def _medicines(history: History) -> dict[str, Any]:
    rows = history.medications
    review = history.answers.get("medicines_reviewed")
    if review is not None and any(row.recorded_at > review.recorded_at for row in rows):
        review = None
    reviewed = cautious(_answer(review))
    if not rows and reviewed.value is not True:
        asked = reviewed.state is Known.ASKED_NOT_KNOWN
        nothing: Fact[tuple[Medicine, ...]] = (
            Fact.not_known(reviewed.source, reviewed.at) if asked else Fact.not_asked()
        )
        return {"medicines": nothing, "medicines_reviewed": reviewed}
    return {"medicines": Fact.of(tuple(map(medicine_fact, rows))), "medicines_reviewed": reviewed}


def medicine_fact(row: Medication) -> Medicine:
    """Return one medicine as the core reads it."""
    origin = "imported" if row.imported else "medicine list"
    since = f" since {_day_of(row.started_on)}" if row.started_on else ""
    name = f"{row.display} {row.dose_text}".strip()
    return Medicine(name, row.ingredient, f"{origin}{since}")


def _trials(history: History) -> Fact[tuple[Trial, ...]]:
    never = history.answers.get(NO_TRIALS)
    if history.trials or (never is not None and never.answer == HistoryAnswer.Answer.NO):
        return Fact.of(tuple(trial_fact(row, history) for row in history.trials))
    if never is not None and never.answer == HistoryAnswer.Answer.NOT_KNOWN:
        return Fact.not_known(_source(never), never.at)
    return Fact.not_asked()


def trial_fact(row: AntidepressantTrial, history: History) -> Trial:
    """Return one trial as the core reads it; a trial that goes on is counted up to the day of the history."""
    return Trial(
        drug=row.drug,
        max_daily_dose_mg=None if row.max_daily_dose_mg is None else float(row.max_daily_dose_mg),
        days=_days(row, history.patient.clinic.day_of(history.at)),
        days_at_dose=row.days_at_dose,
        outcome=TrialOutcome(row.outcome),
        reason_stopped=Reason(row.reason_stopped or "unknown"),
        adherence=Adherence(row.adherence),
        current_episode=row.current_episode,
        source=row.get_source_display() if row.source else "",
    )


def _days(row: AntidepressantTrial, today: date) -> int | None:
    last = today if row.ongoing else row.ended_on
    if row.started_on is None or last is None:
        return None
    return (last - row.started_on).days
