"""Rows become facts: imported entries add, never subtract; disagreement is shown; old measurements are no answer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ketaclinic.people.models import Patient, Staff
from ketaclinic.screening import actions, queries
from ketaclinic.screening.facts import candidate_facts
from ketaclinic.screening.models import HistoryAnswer, Medication, Problem, VitalSign
from ketacore.evidence import Known, Setting
from ketacore.screening import assess_candidacy
from tests.support.people import NOON, make_patient, make_staff

LATER = NOON + timedelta(hours=1)


def imported(model: type, patient: Patient, by: Staff, **fields: object) -> object:
    base = {
        "clinic": patient.clinic,
        "patient": patient,
        "at": NOON,
        "recorded_at": NOON,
        "recorded_by": by,
        "source_system": "urn:other",
        "source_id": f"{model.__name__}-{fields.get('display', '')}-{fields.get('kind', '')}",
    }
    return model.objects.create(**{**base, **fields})


def test_nobody_asked_is_not_no(patient: Patient) -> None:
    facts = candidate_facts(patient, NOON)
    assert facts.aneurysmal_disease.state is Known.NOT_ASKED
    assert facts.trials.state is Known.NOT_ASKED
    assert facts.medicines.state is Known.NOT_ASKED
    assert facts.age_years.value == 42


@pytest.mark.parametrize(
    ("answer", "state", "value"),
    [("yes", Known.KNOWN, True), ("no", Known.KNOWN, False), ("not_known", Known.ASKED_NOT_KNOWN, None)],
)
def test_an_answer_is_a_fact_with_source(
    patient: Patient, nurse: Staff, answer: str, state: Known, value: bool | None
) -> None:
    actions.record_answer(
        patient=patient, by=nurse, at=NOON, question="aneurysmal_disease", answer=answer, note="by phone"
    )
    fact = candidate_facts(patient, NOON).aneurysmal_disease
    assert (fact.state, fact.value) == (state, value)
    assert fact.source == f"asked 23 Nov 2026 by {nurse.display_name}, by phone"


def test_an_imported_problem_makes_a_fact_present(patient: Patient, nurse: Staff) -> None:
    imported(Problem, patient, nurse, display="Aneurysm of abdominal aorta", status="active", onset_on=date(2020, 5, 1))
    fact = candidate_facts(patient, NOON).aneurysmal_disease
    assert fact.value is True
    assert fact.source == "imported problem: Aneurysm of abdominal aorta, 1 May 2020"


def test_an_imported_record_without_it_makes_nothing_absent(patient: Patient, nurse: Staff) -> None:
    imported(Problem, patient, nurse, display="Viral sinusitis (disorder)", status="resolved")
    assert candidate_facts(patient, NOON).aneurysmal_disease.state is Known.NOT_ASKED


def test_a_resolved_problem_counts_for_life_but_not_for_now(patient: Patient, nurse: Staff) -> None:
    imported(Problem, patient, nurse, display="Normal pregnancy", status="resolved")
    imported(Problem, patient, nurse, display="Alcohol dependence", status="resolved")
    facts = candidate_facts(patient, NOON)
    assert facts.pregnant.state is Known.NOT_ASKED
    assert facts.substance_misuse.value is True


def test_where_sources_disagree_the_cautious_value_decides_and_both_are_shown(patient: Patient, nurse: Staff) -> None:
    imported(Problem, patient, nurse, display="Cerebral hemorrhage", status="resolved")
    actions.record_answer(patient=patient, by=nurse, at=NOON, question="intracerebral_haemorrhage", answer="no")
    fact = candidate_facts(patient, NOON).intracerebral_haemorrhage
    assert fact.value is True
    assert "imported problem: Cerebral hemorrhage: yes" in fact.source
    assert f"by {nurse.display_name}: no" in fact.source


def test_a_prescriber_settles_the_disagreement_by_refuting(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    problem = imported(Problem, patient, nurse, display="Cerebral hemorrhage", status="resolved")
    actions.record_answer(patient=patient, by=nurse, at=NOON, question="intracerebral_haemorrhage", answer="no")
    actions.refute_problem(problem=problem, by=prescriber, at=LATER, reason="CT of 2024 shows none")
    assert candidate_facts(patient, LATER).intracerebral_haemorrhage.value is False
    assert [p.amendment_reason for p in queries.history_of(patient, LATER).refuted] == ["CT of 2024 shows none"]


def test_an_allergy_to_ketamine_makes_hypersensitivity_present(patient: Patient, nurse: Staff) -> None:
    actions.record_allergy(patient=patient, by=nurse, at=NOON, display="Ketamine", criticality="high")
    actions.record_allergy(patient=patient, by=nurse, at=NOON, display="Penicillin")
    assert candidate_facts(patient, NOON).hypersensitivity.source == "allergy list: Ketamine"


def test_an_allergy_entered_in_error_counts_no_more(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    row = actions.record_allergy(patient=patient, by=nurse, at=NOON, display="Ketamine", criticality="high")
    actions.refute_allergy(allergy=row, by=prescriber, at=LATER, reason="It was penicillin.")
    assert candidate_facts(patient, LATER).hypersensitivity.state is Known.NOT_ASKED
    history = queries.history_of(patient, LATER)
    assert history.allergies == []
    assert [row.amendment_reason for row in history.refuted_allergies] == ["It was penicillin."]


def test_what_was_written_down_later_is_not_known_earlier(patient: Patient, nurse: Staff) -> None:
    actions.record_answer(patient=patient, by=nurse, at=LATER, question="pregnant", answer="no")
    assert candidate_facts(patient, NOON).pregnant.state is Known.NOT_ASKED


class TestBloodPressure:
    def test_measured_here(self, patient: Patient, nurse: Staff) -> None:
        actions.record_vital(patient=patient, by=nurse, at=NOON, kind="blood_pressure", value=144, value_2=88)
        fact = candidate_facts(patient, NOON).blood_pressure
        assert str(fact.value) == "144/88"
        assert fact.source == "measured 23 Nov 2026"

    def test_from_before_the_person_came_is_no_answer(self, patient: Patient, nurse: Staff) -> None:
        imported(
            VitalSign, patient, nurse, kind="blood_pressure", value=120, value_2=80, unit="mmHg", at=NOON - timedelta(9)
        )
        assert candidate_facts(patient, NOON).blood_pressure.state is Known.NOT_ASKED

    @pytest.mark.parametrize("pair", [(120, None), (80, 120)])
    def test_that_cannot_be_is_no_answer(self, patient: Patient, nurse: Staff, pair: tuple[int, int | None]) -> None:
        imported(VitalSign, patient, nurse, kind="blood_pressure", value=pair[0], value_2=pair[1], unit="mmHg")
        assert candidate_facts(patient, NOON).blood_pressure.state is Known.NOT_ASKED


class TestMedicines:
    def test_an_empty_list_is_unknown_until_it_was_reviewed(self, patient: Patient, nurse: Staff) -> None:
        assert candidate_facts(patient, NOON).medicines.state is Known.NOT_ASKED
        actions.record_answer(patient=patient, by=nurse, at=NOON, question="medicines_reviewed", answer="yes")
        facts = candidate_facts(patient, NOON)
        assert facts.medicines.value == ()
        assert facts.medicines_reviewed.value is True

    def test_a_medicine_added_after_the_review_calls_for_another(self, patient: Patient, nurse: Staff) -> None:
        actions.record_answer(patient=patient, by=nurse, at=NOON, question="medicines_reviewed", answer="yes")
        actions.record_medication(
            patient=patient, by=nurse, at=LATER, display="Lamotrigine", dose_text="100 mg", started_on=date(2026, 1, 2)
        )
        facts = candidate_facts(patient, LATER)
        assert facts.medicines_reviewed.state is Known.NOT_ASKED
        (medicine,) = facts.medicines.value or ()
        assert (medicine.name, medicine.source) == ("Lamotrigine 100 mg", "medicine list since 2 Jan 2026")

    def test_a_stopped_medicine_is_not_taken(self, patient: Patient, nurse: Staff) -> None:
        row = actions.record_medication(patient=patient, by=nurse, at=NOON, display="Theophylline")
        actions.stop_medication(medication=row, by=nurse, at=LATER, ended_on=date(2026, 11, 23), reason="switched")
        assert list(queries.active_medications(patient, LATER)) == []

    def test_an_unstated_status_counts_as_taken(self, patient: Patient, nurse: Staff) -> None:
        imported(Medication, patient, nurse, display="Theophylline", status="unknown")
        imported(Medication, patient, nurse, display="Ended", status="unknown", ended_on=date(2020, 1, 1))
        imported(Medication, patient, nurse, display="Done", status="completed")
        (medicine,) = candidate_facts(patient, NOON).medicines.value or ()
        assert (medicine.name, medicine.source) == ("Theophylline", "imported")


class TestTrials:
    def test_days_come_from_the_dates(self, patient: Patient, nurse: Staff) -> None:
        actions.record_trial(
            patient=patient,
            by=nurse,
            at=NOON,
            drug="Sertraline",
            max_daily_dose_mg=100,
            started_on=date(2026, 1, 1),
            ended_on=date(2026, 3, 1),
            outcome="none",
            source="pharmacy",
        )
        (trial,) = candidate_facts(patient, NOON).trials.value or ()
        assert (trial.days, trial.max_daily_dose_mg, trial.source) == (59, 100.0, "Pharmacy fills")

    def test_one_that_goes_on_is_counted_to_today_and_one_without_end_is_unknown(
        self, patient: Patient, nurse: Staff
    ) -> None:
        actions.record_trial(
            patient=patient, by=nurse, at=NOON, drug="Sertraline", started_on=date(2026, 11, 1), ongoing=True
        )
        actions.record_trial(patient=patient, by=nurse, at=NOON, drug="Citalopram", started_on=date(2026, 11, 2))
        assert [t.days for t in candidate_facts(patient, NOON).trials.value or ()] == [22, None]

    @pytest.mark.parametrize(
        ("answer", "state"), [("no", Known.KNOWN), ("not_known", Known.ASKED_NOT_KNOWN), ("yes", Known.NOT_ASKED)]
    )
    def test_none_ever_is_an_answer(self, patient: Patient, nurse: Staff, answer: str, state: Known) -> None:
        actions.record_answer(patient=patient, by=nurse, at=NOON, question="trials", answer=answer)
        assert candidate_facts(patient, NOON).trials.state is state


class TestDayOfTheLastEvent:
    def test_from_the_problem_list_the_newest(self, patient: Patient, nurse: Staff) -> None:
        imported(Problem, patient, nurse, display="Stroke", status="resolved", onset_on=date(2019, 2, 3))
        actions.record_problem(
            patient=patient, by=nurse, at=NOON, display="Myocardial infarction", onset_on=date(2026, 11, 1)
        )
        facts = candidate_facts(patient, NOON)
        assert facts.cardiovascular_event.value is True
        assert facts.cardiovascular_event_on.value == date(2026, 11, 1)

    def test_an_undated_event_leaves_it_open(self, patient: Patient, nurse: Staff) -> None:
        imported(Problem, patient, nurse, display="Stroke", status="resolved")
        assert candidate_facts(patient, NOON).cardiovascular_event_on.state is Known.NOT_ASKED

    def test_from_an_answer(self, patient: Patient, nurse: Staff) -> None:
        ask = {"patient": patient, "by": nurse, "at": NOON, "question": "cardiovascular_event_on"}
        first = actions.record_answer(**ask, answer="not_known")
        assert candidate_facts(patient, NOON).cardiovascular_event_on.state is Known.ASKED_NOT_KNOWN
        actions.amend_answer(
            earlier=first, by=nurse, at=LATER, answer="given", value="2026-10-01", reason="letter found"
        )
        assert candidate_facts(patient, LATER).cardiovascular_event_on.value == date(2026, 10, 1)

    def test_a_day_that_was_asked_settles_an_undated_event(self, patient: Patient, nurse: Staff) -> None:
        actions.record_problem(patient=patient, by=nurse, at=NOON, display="Myocardial infarction")
        actions.record_answer(**self.day(patient, nurse), answer="given", value="2026-11-13")
        assert candidate_facts(patient, NOON).cardiovascular_event_on.value == date(2026, 11, 13)

    def test_an_old_day_that_was_asked_settles_it_too(self, patient: Patient, nurse: Staff) -> None:
        actions.record_problem(patient=patient, by=nurse, at=NOON, display="Myocardial infarction")
        actions.record_answer(**self.day(patient, nurse), answer="given", value="2019-05-04")
        assert candidate_facts(patient, NOON).cardiovascular_event_on.value == date(2019, 5, 4)

    def test_an_undated_event_that_came_in_after_the_answer_opens_it_again(
        self, patient: Patient, nurse: Staff
    ) -> None:
        row = actions.record_answer(**self.day(patient, nurse), answer="given", value="2019-05-04")
        actions.record_problem(patient=patient, by=nurse, at=LATER, display="Stroke")
        assert candidate_facts(patient, LATER).cardiovascular_event_on.state is Known.NOT_ASKED
        actions.amend_answer(
            earlier=row, by=nurse, at=LATER, answer="given", value="2020-01-01", reason="The stroke was later."
        )
        assert candidate_facts(patient, LATER).cardiovascular_event_on.value == date(2020, 1, 1)

    def test_a_recent_day_of_the_record_stands_against_not_known(self, patient: Patient, nurse: Staff) -> None:
        imported(Problem, patient, nurse, display="Myocardial infarction", onset_on=date(2026, 11, 13))
        actions.record_answer(**self.day(patient, nurse), answer="not_known")
        fact = candidate_facts(patient, NOON).cardiovascular_event_on
        assert fact.value == date(2026, 11, 13)
        assert "13 Nov 2026" in fact.source
        assert f"by {nurse.display_name}: not known" in fact.source

    def test_a_recent_day_stands_beside_an_undated_event(self, patient: Patient, nurse: Staff) -> None:
        imported(Problem, patient, nurse, display="Stroke")
        imported(Problem, patient, nurse, display="Myocardial infarction", onset_on=date(2026, 11, 13))
        assert candidate_facts(patient, NOON).cardiovascular_event_on.value == date(2026, 11, 13)

    def test_an_old_day_of_the_record_does_not_settle_not_known(self, patient: Patient, nurse: Staff) -> None:
        imported(Problem, patient, nurse, display="Myocardial infarction", onset_on=date(2019, 11, 13))
        actions.record_answer(**self.day(patient, nurse), answer="not_known")
        assert candidate_facts(patient, NOON).cardiovascular_event_on.state is Known.ASKED_NOT_KNOWN

    @pytest.mark.parametrize("answer", ["given", "not_known"])
    def test_the_stop_fires_and_cannot_be_passed_as_unknown(self, patient: Patient, nurse: Staff, answer: str) -> None:
        """An event of ten days ago, told by either source, is a stop in the jurisdictions that name it."""
        known = answer == "not_known"
        onset = date(2026, 11, 13) if known else None
        imported(Problem, patient, nurse, display="Myocardial infarction", onset_on=onset)
        value = "" if known else "2026-11-13"
        actions.record_answer(**self.day(patient, nurse), answer=answer, value=value)
        setting = Setting("EU", date(2026, 11, 23), "esketamine-nasal")
        fired = assess_candidacy(candidate_facts(patient, NOON), setting).fired
        assert "SPR-CI-05" in {finding.rule.rule_id for finding in fired}

    @staticmethod
    def day(patient: Patient, by: Staff) -> dict[str, Any]:
        return {"patient": patient, "by": by, "at": NOON, "question": "cardiovascular_event_on"}


def test_choices_become_facts(patient: Patient, prescriber: Staff) -> None:
    ask = {"patient": patient, "by": prescriber, "at": NOON}
    actions.record_answer(**ask, question="indication", answer="given", value="TRD")
    actions.record_answer(**ask, question="child_pugh", answer="not_known")
    facts = candidate_facts(patient, NOON)
    assert facts.indication.value == "TRD"
    assert facts.child_pugh.state is Known.ASKED_NOT_KNOWN


def test_rows_of_another_patient_stay_there(patient: Patient, nurse: Staff) -> None:
    other = make_patient(patient.clinic)
    actions.record_answer(patient=other, by=nurse, at=NOON, question="pregnant", answer="yes")
    assert HistoryAnswer.objects.filter(patient=patient).count() == 0
    assert candidate_facts(patient, NOON).pregnant.state is Known.NOT_ASKED
    assert make_staff(patient.clinic).clinic == patient.clinic
