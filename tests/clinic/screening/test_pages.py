"""The pages: who sees what, what a form takes, what it gives back when it cannot be kept."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.screening import actions, presenters, queries
from ketaclinic.screening.models import (
    Allergy,
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
    VitalSign,
)
from tests.clinic.screening.candidate import IV, NASAL, ask_everything, sign_screening
from tests.support.clock import install
from tests.support.people import NOON, make_clinic, make_patient, make_staff


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, NOON)


def url(name: str, patient: Patient, *more: Any) -> str:
    return reverse(f"screening:{name}", args=[patient.pk, *more])


def text(reply: Any) -> str:
    return str(reply.content.decode())


def full(patient: Patient, by: Staff) -> None:
    """A record with something of everything."""
    who = {"patient": patient, "by": by, "at": NOON}
    ask_everything(patient, by, pregnant="yes", regular_alcohol="not_known", hypersensitivity="")
    actions.record_problem(**who, display="Aortic aneurysm", onset_on=date(2020, 1, 1))
    wrong = actions.record_problem(**who, display="Stroke")
    actions.refute_problem(problem=wrong, by=by, at=NOON, reason="Migraine.")
    actions.record_medication(**who, display="Lorazepam", dose_text="1 mg")
    actions.record_medication(**who, display="Somethingol")
    actions.record_trial(**who, drug="Nortriptyline", max_daily_dose_mg=100, outcome="partial", adherence="doubtful")


@pytest.mark.parametrize("product", ["", NASAL, IV, "aspirin"])
def test_the_page_of_a_full_record(
    as_prescriber: Client, prescriber: Staff, patient: Patient, product: str, django_assert_max_num_queries: Any
) -> None:
    sign_screening(prescriber)
    full(patient, prescriber)
    actions.decide_candidacy(
        patient=patient, by=prescriber, at=NOON, product=NASAL, verdict="wait", reason="After the birth."
    )
    with django_assert_max_num_queries(12):  # its forms carry what the page has read
        page = as_prescriber.get(url("patient", patient), {"product": product})
    assert page.status_code == 200
    for words in ("Aortic aneurysm", "Migraine.", "Somethingol", "After the birth.", "Nortriptyline"):
        assert words in text(page)


def test_a_nurse_records_and_a_prescriber_decides(as_nurse: Client, as_prescriber: Client, patient: Patient) -> None:
    decide = f'action="{url("decide", patient)}"'
    answer = f'action="{url("answer", patient)}'
    seen = text(as_nurse.get(url("patient", patient)))
    assert (decide in seen, answer in seen) == (False, True)
    assert decide in text(as_prescriber.get(url("patient", patient)))
    assert as_nurse.post(url("decide", patient), {"product": NASAL}).status_code == 403


def test_a_therapist_reads_only(patient: Patient) -> None:
    client = Client()
    client.force_login(make_staff(patient.clinic, Role.THERAPIST).user)
    assert client.get(url("patient", patient)).status_code == 200
    assert client.get(url("add", patient, "medicine")).status_code == 403
    assert client.post(url("answer", patient), {"question": "pregnant", "answer": "no"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("patient", ()),
        ("answer", ()),
        ("change_answer", (1,)),
        ("add", ("medicine",)),
        ("stop_medicine", (1,)),
        ("refute", (1,)),
        ("refute_allergy", (1,)),
        ("correct_trial", (1,)),
        ("decide", ()),
    ],
)
def test_a_patient_of_another_clinic_is_not_found(as_prescriber: Client, name: str, more: tuple[Any, ...]) -> None:
    stranger = make_patient(make_clinic(name="Another"))
    send = as_prescriber.post if name in ("answer", "decide") else as_prescriber.get
    assert send(url(name, stranger, *more)).status_code == 404


class TestAnswering:
    def test_in_place(self, as_nurse: Client, patient: Patient) -> None:
        reply = as_nurse.post(url("answer", patient) + f"?product={IV}", {"question": "pregnant", "answer": "no"})
        assert reply.headers["Location"] == url("patient", patient) + f"?product={IV}#unknown"
        assert HistoryAnswer.objects.get().answer == "no"

    def test_a_choice_that_was_not_made_is_not_kept(self, as_nurse: Client, patient: Patient) -> None:
        asked = {"question": "child_pugh", "answer": "given"}
        assert "Choose an answer first" in text(as_nurse.post(url("answer", patient), asked, follow=True))
        assert not HistoryAnswer.objects.exists()

    @pytest.mark.parametrize(
        ("question", "before", "sent", "after"),
        [
            ("aneurysmal_disease", ("no", ""), "yes", ("yes", "")),
            ("aneurysmal_disease", ("no", ""), "not_known", ("not_known", "")),
            ("child_pugh", ("given", "A"), "B", ("given", "B")),
            ("cardiovascular_event_on", ("given", "2026-10-01"), "2026-10-02", ("given", "2026-10-02")),
            ("cardiovascular_event_on", ("given", "2026-10-01"), "", ("not_known", "")),
        ],
    )
    def test_is_changed_with_a_reason(
        self,
        as_nurse: Client,
        nurse: Staff,
        patient: Patient,
        question: str,
        before: tuple[str, str],
        sent: str,
        after: tuple[str, str],
    ) -> None:
        told = {"question": question, "answer": before[0], "value": before[1]}
        row = actions.record_answer(patient=patient, by=nurse, at=NOON, **told)
        page = url("change_answer", patient, row.pk)
        assert as_nurse.get(page).status_code == 200
        assert as_nurse.post(page, {"value": sent, "reason": ""}).status_code == 422
        assert as_nurse.post(page, {"value": sent, "reason": "Letter."}).status_code == 302
        newest = queries.answers(patient, NOON)[question]
        assert (newest.answer, newest.value, newest.amendment_reason) == (*after, "Letter.")
        assert as_nurse.get(page).status_code == 404


TRIAL = {"drug": "Sertraline", "outcome": "none", "adherence": "unknown", "current_episode": "true"}


@pytest.mark.parametrize(
    ("what", "good", "bad", "model"),
    [
        ("medicine", {"display": "Lamotrigine", "started_on": "2026-01-02"}, {"display": ""}, Medication),
        ("medicine", {"display": "x"}, {"display": "x", "started_on": "2027-01-02"}, Medication),
        ("allergy", {"display": "Latex", "criticality": "low"}, {"display": "x", "criticality": "huge"}, Allergy),
        ("problem", {"display": "Asthma", "status": "active"}, {"display": "Asthma"}, Problem),
        ("pressure", {"systolic": "128", "diastolic": "82"}, {"systolic": "80", "diastolic": "120"}, VitalSign),
        ("trial", TRIAL, {**TRIAL, "started_on": "2027-01-01"}, AntidepressantTrial),
    ],
)
def test_an_entry_is_added(
    as_nurse: Client, patient: Patient, what: str, good: dict[str, str], bad: dict[str, str], model: Any
) -> None:
    page = url("add", patient, what)
    assert as_nurse.get(page).status_code == 200
    refused = as_nurse.post(page, bad)
    assert refused.status_code == 422
    assert not model.objects.exists()
    assert as_nurse.post(page, good).headers["Location"] == url("patient", patient)
    assert model.objects.get().patient == patient


def test_there_is_no_other_form(as_nurse: Client, as_prescriber: Client, patient: Patient) -> None:
    assert as_nurse.get(url("add", patient, "wish")).status_code == 404
    assert as_prescriber.post(url("decide", patient), {"product": "aspirin"}).status_code == 404


def test_entries_are_settled(as_prescriber: Client, prescriber: Staff, as_nurse: Client, patient: Patient) -> None:
    who = {"patient": patient, "by": prescriber, "at": NOON}
    medicine = actions.record_medication(**who, display="Theophylline")
    problem = actions.record_problem(**who, display="Stroke")
    allergy = actions.record_allergy(**who, display="Ketamine")
    trial = actions.record_trial(**who, drug="Sertraline")
    no_allergy = url("refute_allergy", patient, allergy.pk)
    assert no_allergy in text(as_prescriber.get(url("patient", patient)))
    assert no_allergy not in text(as_nurse.get(url("patient", patient)))
    stop, refute = url("stop_medicine", patient, medicine.pk), url("refute", patient, problem.pk)
    correct = url("correct_trial", patient, trial.pk)
    for page in (stop, refute, no_allergy, correct):
        assert as_prescriber.get(page).status_code == 200
    assert as_nurse.get(refute).status_code == as_nurse.get(no_allergy).status_code == 403
    assert "future" in text(as_prescriber.post(stop, {"ended_on": "2026-12-01", "reason": "Switched."}))
    for page, sent in (
        (stop, {"ended_on": "2026-11-20", "reason": "Switched."}),
        (refute, {"reason": "Migraine."}),
        (no_allergy, {"reason": "It was penicillin."}),
        (correct, {**TRIAL, "drug": "Citalopram", "reason": "Pharmacy list."}),
    ):
        assert as_prescriber.post(page, sent).status_code == 302
    assert not queries.active_medications(patient, NOON).exists()
    assert not queries.problems(patient).exists()
    assert not queries.allergies(patient).exists()
    assert "not the case: It was penicillin." in text(as_prescriber.get(url("patient", patient)))
    assert [t.drug for t in queries.trials(patient, NOON)] == ["Citalopram"]


class TestDeciding:
    def test_a_refusal_is_told_at_the_form_with_what_was_typed(self, as_prescriber: Client, patient: Patient) -> None:
        sent = {"product": IV, "verdict": "treat", "reason": "Typed so far."}
        reply = as_prescriber.post(url("decide", patient), sent)
        assert reply.status_code == 422
        assert "not asked:" in text(reply)
        assert "Typed so far." in text(reply)
        assert as_prescriber.post(url("decide", patient), {"product": IV}).status_code == 422

    def test_a_verdict_is_kept(self, as_prescriber: Client, patient: Patient) -> None:
        sent = {"product": IV, "verdict": "decline", "reason": "Not wished."}
        reply = as_prescriber.post(url("decide", patient), sent)
        assert reply.headers["Location"] == url("patient", patient) + f"?product={IV}#decide"

    def test_the_second_prescriber_signs_with_their_own_password(
        self, as_prescriber: Client, prescriber: Staff, patient: Patient
    ) -> None:
        sign_screening(prescriber)
        ask_everything(patient, prescriber, pregnant="yes")
        second = make_staff(patient.clinic, Role.PRESCRIBER)
        sent = {
            "product": NASAL,
            "verdict": "treat",
            "reason": "Severe.",
            "pass_SPR-W-09": "Talked through.",
            "second_signer": str(second.pk),
        }
        page = url("decide", patient)
        assert "nothing was signed" in text(as_prescriber.post(page, {**sent, "second_password": "guess"}))
        assert "second signature" in text(as_prescriber.post(page, {**sent, "second_signer": ""}))
        assert not CandidacyDecision.objects.exists()
        assert as_prescriber.post(page, {**sent, "second_password": "correct horse battery"}).status_code == 302
        assert CandidacyDecision.objects.get().second_signer == second


class TestTheVerdictOnTheCard:
    @pytest.mark.parametrize(
        ("told", "product", "verdict"),
        [
            ({}, NASAL, "Nothing speaks against it"),
            ({"regular_alcohol": "yes"}, NASAL, "No stop, something to watch"),
            ({"psychosis_history": "yes"}, NASAL, "Weigh first: "),
            ({"psychosis_history": "yes", "breastfeeding": "yes"}, NASAL, " and 1 more"),
            ({"aneurysmal_disease": "yes"}, NASAL, "Stop: "),
            ({"aneurysmal_disease": "yes", "pregnant": ""}, NASAL, "Stop: "),
            ({"hypersensitivity": ""}, IV, "Cannot be decided yet"),
        ],
    )
    def test_says(self, patient: Patient, prescriber: Staff, told: dict[str, str], product: str, verdict: str) -> None:
        sign_screening(prescriber)
        ask_everything(patient, prescriber, **told)
        history = queries.history_of(patient, NOON)
        page = presenters.page(history, product=product, may_record=True, may_decide=True)
        assert verdict in next(c.verdict for c in page.cards if c.chosen)


@pytest.mark.parametrize(
    ("question", "told", "note", "asked"),
    [
        ("trials", {}, "Trials on record leave it open. Concerns nasal and IV", False),
        ("hypersensitivity", {"hypersensitivity": "not_known"}, "A yes would stop nasal and IV", True),
        ("psychosis_history", {"psychosis_history": ""}, "Concerns nasal", False),
        ("medicines_reviewed", {"medicines_reviewed": ""}, "Concerns nasal and IV", False),
    ],
)
def test_an_open_question_says_what_hangs_on_it(
    patient: Patient, prescriber: Staff, question: str, told: dict[str, str], note: str, asked: bool
) -> None:
    sign_screening(prescriber)
    ask_everything(patient, prescriber, **told)
    who = {"patient": patient, "by": prescriber, "at": NOON}
    if question == "trials":
        for row in queries.trials(patient, NOON):
            actions.record_trial(**who, drug=row.drug, amends=row, reason="Nothing is certain.")
    if question == "medicines_reviewed":
        actions.record_medication(**who, display="Sertraline")
    page = presenters.page(queries.history_of(patient, NOON), product=NASAL, may_record=True, may_decide=False)
    line = next(q for q in page.questions if q.question.fact == question)
    assert (line.note, line.asked is not None) == (note, asked)


def test_a_day_asked_before_an_undated_event_came_in_is_asked_again(
    as_nurse: Client, patient: Patient, prescriber: Staff
) -> None:
    sign_screening(prescriber)
    ask_everything(patient, prescriber, cardiovascular_event="yes")
    who = {"patient": patient, "by": prescriber}
    row = actions.record_answer(**who, at=NOON, question="cardiovascular_event_on", answer="given", value="2019-05-04")
    assert "came in since" not in text(as_nurse.get(url("patient", patient)))
    actions.record_problem(**who, at=NOON, recorded_at=NOON + timedelta(seconds=1), display="Stroke")
    page = text(as_nurse.get(url("patient", patient)))
    assert "came in since: ask again" in page
    assert url("change_answer", patient, row.pk) in page


@pytest.mark.parametrize("deciding", [NASAL, IV])
def test_a_contraindication_that_cannot_be_passed_says_so(patient: Patient, prescriber: Staff, deciding: str) -> None:
    sign_screening(prescriber, "DEC-01")
    ask_everything(patient, prescriber, hypersensitivity="yes")
    page = presenters.page(queries.history_of(patient, NOON), product=deciding, may_record=True, may_decide=True)
    tags = {line.finding.rule.rule_id: line.tag for line in page.stops}
    assert tags == {"SPR-CI-04": "nasal only · cannot be passed", "DEC-15": "IV only · cannot be passed"}


def test_the_chart_card(patient: Patient, prescriber: Staff) -> None:
    assert presenters.chart_card(patient, NOON).badge == "Open"  # type: ignore[union-attr]
    for product, verdict in ((IV, "decline"), (NASAL, "wait")):
        actions.decide_candidacy(
            patient=patient, by=prescriber, at=NOON, product=product, verdict=verdict, reason="So."
        )
    card = presenters.chart_card(patient, NOON)
    assert card is not None
    assert (card.badge, len(card.lines)) == ("Wait", 2)
