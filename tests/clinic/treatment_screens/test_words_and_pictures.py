"""Lines, labels and pictures of a session: both values of a correction, only what is open, nothing over anything."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment import queries
from ketaclinic.treatment.actions import amend_event, enrol_in_rems
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.presenters import correction_text, next_chair, symptom_text
from ketaclinic.treatment.presenters.happened import lines
from ketaclinic.treatment.presenters.trace import trace
from ketacore.treatment.events import Sedation, Symptom, SymptomSeen, Vitals
from tests.clinic.treatment_screens.floor import event, full_floor, make_plan, make_session, measure, observed, watch
from tests.support.clock import Clock


@pytest.fixture
def chairs(clinic: Clinic, nurse: Staff, prescriber: Staff, clock: Clock) -> dict[int, Session]:
    return full_floor(clinic, nurse, prescriber, clock.at)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_correction_names_both_values() -> None:
    old = Vitals(systolic=168, diastolic=92, heart_rate=80)
    assert correction_text(Vitals(systolic=138, diastolic=84, heart_rate=80), old) == "Blood pressure 168/92 → 138/84"
    assert (
        correction_text(Vitals(heart_rate=80, oxygen_saturation=97), old) == "Blood pressure 168/92 → –, SpO₂ – → 97 %"
    )
    assert correction_text(old, old) == "BP 168/92, heart rate 80"
    assert correction_text(Sedation(5), Sedation(4)).endswith("→ MOAA/S 5, readily responds to name")
    assert correction_text(Sedation(5), Sedation(5)) == "MOAA/S 5, readily responds to name"


def test_a_symptom_is_gone_only_where_it_was(nurse: Staff, patient: Patient, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))

    def says(minute: int, *, present: bool, symptom: str = "nausea") -> SessionEvent:
        at = session.at + timedelta(minutes=minute)
        return event(session, nurse, at, "symptom", symptom=symptom, present=present)

    says(1, present=False), says(2, present=True), says(3, present=False), says(4, present=False)
    says(5, present=False, symptom="other")
    shown = [line.text for line in reversed(lines([*SessionEvent.objects.filter(session=session)]))]
    assert shown == ["No nausea", "Nausea", "Nausea is gone", "No nausea", "No other symptom"]
    assert symptom_text(SymptomSeen(Symptom.HEADACHE, present=False), had=True) == "Headache is gone"


def test_an_undone_line_reads_as_one_sentence(as_nurse: Client, nurse: Staff, patient: Patient, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))
    began = event(session, nurse, clock.at - timedelta(minutes=9), "symptom", symptom="nausea", present=True)
    gone = event(session, nurse, clock.at - timedelta(minutes=5), "symptom", symptom="nausea", present=False)
    amend_event(event=gone, by=nurse, at=clock.at, reason="Undone", voided=True)
    shown = page(as_nurse, f"/treatment/session/{session.pk}/")
    assert "Undone: <span" in shown and "<del>Nausea is gone</del>" in shown
    assert "Undone was" not in shown
    assert began.pk


def test_the_reason_of_the_row_goes_along_to_the_correction(as_nurse: Client, chairs: dict[int, Session]) -> None:
    row = SessionEvent.objects.filter(session=chairs[1], kind="vitals").latest("at")
    path = f"/treatment/session/{chairs[1].pk}/entry/{row.pk}/"
    shown = page(as_nurse, f"/treatment/session/{chairs[1].pk}/")
    assert f'action="{path}"' in shown and f'formaction="{path}begin/"' in shown and f"{path}?" not in shown
    begun = as_nurse.post(f"{path}begin/", {"voided": "on", "reason": "cuff slipped", "entry_key": "c8"})
    assert begun.status_code == 200 and begun.content.decode().count('value="cuff slipped"') == 2
    assert SessionEvent.objects.filter(session=chairs[1], amends=row).count() == 0
    answer = as_nurse.post(path, {"systolic": "139", "diastolic": "92", "reason": "", "entry_key": "c9"})
    assert "Reason" in answer.content.decode()


def test_the_board_lists_what_is_open_once(as_nurse: Client, nurse: Staff, chairs: dict[int, Session]) -> None:
    measure(chairs[5], nurse, chairs[5].at + timedelta(minutes=164), (132, 82))
    watch(chairs[5], nurse, chairs[5].at + timedelta(minutes=164))
    shown = page(as_nurse, "/treatment/floor/live/")
    row = shown.split('id="chair-5"')[1].split('id="chair-6"')[0]
    assert "<b>Before leaving</b>" in row
    assert row.count("Clinically stable") <= 1 and row.count(" more") == 1


def test_what_keeps_somebody_here_is_listed_not_promised(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, f"/treatment/session/{chairs[5].pk}/")
    assert "the server will name them" not in shown
    assert re.search(r"\d+ conditions still open, listed under", shown)
    assert "not answered: Breathing normal, no sign of respiratory depression?" in shown
    refused = as_nurse.post(f"/treatment/session/{chairs[5].pk}/record/", {"kind": "discharged", "entry_key": "d2"})
    said = refused.content.decode()
    assert "is missing" not in said and "missing: written instructions" in said


def test_an_ended_infusion_is_not_to_be_paused(as_nurse: Client, chairs: dict[int, Session]) -> None:
    for path in ("/treatment/floor/", "/treatment/wall/", f"/treatment/session/{chairs[6].pk}/"):
        shown = page(as_nurse, path)
        assert "Call the clinician." in shown
        assert "Pause the infusion" not in shown


def test_a_closed_session_stands_still(clinic: Clinic, nurse: Staff, patient: Patient, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))
    observed(session, nurse, clock.at, 40)
    event(session, nurse, clock.at, "stopped", outcome="emergency_transfer", reason="pressure")
    setting = setting_of(clinic, clock.at, session.product)
    drawn = [
        trace(facts_of(session, at), setting, at, (), session.at)
        for at in (clock.at + timedelta(minutes=1), clock.at + timedelta(hours=9))
    ]
    assert drawn[0] == drawn[1]
    assert "g-future" not in drawn[0].shapes


def test_the_record_names_its_day_and_the_day_of_printing(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, f"/treatment/session/{chairs[1].pk}/")
    assert "session of 23 Nov 2026" in shown
    assert "Printed 23 Nov 2026, 12:05." in shown


@pytest.mark.parametrize("saturation", [97, 93, 12])
@pytest.mark.parametrize("minute", [47, 60, 118, 135])
def test_no_upright_line_crosses_the_words_of_a_limit(
    clinic: Clinic, prescriber: Staff, nurse: Staff, patient: Patient, clock: Clock, saturation: int, minute: int
) -> None:
    full_floor(clinic, nurse, prescriber, clock.at)
    session = make_session(patient, nurse, clock.at - timedelta(minutes=minute + 20))
    observed(session, nurse, clock.at, minute)
    measure(session, nurse, clock.at - timedelta(minutes=1), (144, 86), saturation=saturation)
    drawn = trace(facts_of(session, clock.at), setting_of(clinic, clock.at, session.product), clock.at, (), session.at)
    labels = re.findall(r'class="g-t end" x="([\d.]+)" y="([\d.]+)">(clinic limit [^<]+)<', drawn.shapes)
    uprights = [float(x) for x in re.findall(r'class="g-(?:gate|nowl|acc thin)" d="M([\d.]+)', drawn.shapes)]
    assert len(labels) == 2 and len(uprights) == 6
    for x, _, words in labels:
        left, right = float(x) - 5.8 * len(words), float(x)
        assert not [u for u in uprights if left < u < right], (words, left, right)


def test_the_scale_of_saturation_stands_apart_from_the_pressures(
    clinic: Clinic, nurse: Staff, patient: Patient, clock: Clock
) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))
    measure(session, nurse, clock.at - timedelta(minutes=1), (144, 86), saturation=14)
    drawn = trace(facts_of(session, clock.at), setting_of(clinic, clock.at, session.product), clock.at)
    scale = re.findall(r'class="g-t end" x="40" y="[\d.]+">([^<]+)<', drawn.shapes)
    assert scale[-4:-1] == ["100 %", "10 %", "BP"] or {"100 %", "10 %"} <= set(scale)
    assert "12" not in scale


def test_who_finds_no_chair_hears_which_is_next(
    as_nurse: Client, clinic: Clinic, chairs: dict[int, Session], clock: Clock
) -> None:
    running = queries.open_sessions(clinic, clock.at)
    soonest = next_chair(running)
    assert soonest is not None and soonest.number == 5 and soonest.at is not None
    starting = [o for o in running if o.session.chair in (2, 4)]
    assert next_chair(starting) is not None
    assert next_chair([]) is None
    shown = render_to_string("treatment/parts/no_chair.html", {"next_chair": soonest})
    assert "No chair is free; chair 5 is next to become free" in shown


def test_the_page_that_opens_a_session_tells_the_enrolment_in_words(
    as_nurse: Client, nurse: Staff, patient: Patient, prescriber: Staff, clock: Clock
) -> None:
    make_plan(patient, prescriber, clock.at)
    enrol_in_rems(patient=patient, by=nurse, at=clock.at, enrolled_on=clock.at.date() - timedelta(days=6))
    shown = page(as_nurse, f"/treatment/open/{patient.pk}/")
    assert "Enrolled, 17 Nov 2026" in shown
    assert "2026-11-17" not in shown and shown.count("REMS enrolment<") == 1
