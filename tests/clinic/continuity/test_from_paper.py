"""A session that ran on paper while the server was gone, typed in afterwards: true times, late marks, honest gates."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from ketaclinic.interfaces.fhir.outgoing.pathway import session_resources
from ketaclinic.people.models import Patient, Staff
from ketaclinic.planning.models import Plan
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.treatment import actions, queries
from ketaclinic.treatment.actions import NeedsConfirming, Paper
from ketaclinic.treatment.models import Session, SessionEvent, WrittenOnPaper
from ketacore.evidence import Refusal
from ketacore.treatment import RULES
from tests.clinic.treatment.whole import EXPIRES, OPENED, TODAY, minute, ready_plan, sign_everything
from tests.support import clock

TYPED = OPENED + timedelta(hours=5)
"""Two in the afternoon: the server is back."""
DOWNTIME = Paper("downtime")
DEVICE = {"lot": "SYN-1", "expires_on": EXPIRES.isoformat(), "two_green_dots_before": True, "not_primed": True}


@pytest.fixture
def plan(patient: Patient, prescriber: Staff) -> Plan:
    sign_everything(prescriber)
    return ready_plan(patient, prescriber)


@pytest.fixture
def session(plan: Plan, nurse: Staff) -> Session:
    return _opened(plan, nurse)


def _opened(plan: Plan, nurse: Staff, chair: int = 1) -> Session:
    return actions.open_session(
        patient=plan.patient, plan=plan, by=nurse, at=OPENED, recorded_at=TYPED, chair=chair, paper=DOWNTIME
    )


def _typed(session: Session, by: Staff, at: float, kind: str, paper: Paper = DOWNTIME, **said: object) -> SessionEvent:
    return actions.record_event(
        session=session, kind=kind, payload=said, by=by, at=minute(at), recorded_at=TYPED, paper=paper
    )


def _device(session: Session, nurse: Staff, at: float, number: int, paper: Paper = DOWNTIME) -> SessionEvent:
    return _typed(session, nurse, at, "device", paper, number=number, no_green_dots_after=True, **DEVICE)


def test_the_session_has_its_true_time_and_the_time_of_writing(session: Session) -> None:
    assert (session.at, session.recorded_at) == (OPENED, TYPED)
    kept = WrittenOnPaper.objects.get()
    assert (kept.session, kept.event, kept.reason, kept.against) == (session, None, "downtime", [])
    assert "on paper, downtime" in TimelineEntry.objects.get(kind="session_opened").detail
    assert [o.session.pk for o in queries.open_sessions(session.clinic, TYPED)] == [session.pk]


def test_a_gate_that_was_not_asked_holds_nothing_back_and_is_not_forgotten(session: Session, nurse: Staff) -> None:
    _typed(session, nurse, -25, "arrived")
    with pytest.raises(NeedsConfirming) as asked:
        _device(session, nurse, 0, 1)
    assert SessionEvent.objects.filter(kind="device").count() == 0
    assert any("Blood pressure" in line for line in asked.value.because)

    row = _device(session, nurse, 0, 1, Paper("downtime", confirmed=True))
    kept = WrittenOnPaper.objects.get(event=row)
    assert tuple(kept.against) == asked.value.because and row.at == minute(0) and row.recorded_at == TYPED
    assert StoredDecision.objects.get(question="may_start").outcome == "blocked"
    assert "the gate would have refused" in TimelineEntry.objects.get(kind="device").detail


def test_the_gates_are_asked_as_they_stood_then(session: Session, nurse: Staff) -> None:
    """Enrolled in the REMS only after the session: then it was not known, and that is what counts."""
    actions.enrol_in_rems(patient=session.patient, by=nurse, at=TYPED, enrolled_on=TODAY)
    _typed(session, nurse, -25, "arrived")
    with pytest.raises(NeedsConfirming) as asked:
        _device(session, nurse, 0, 1)
    assert any("SPR-PRE-06" in line for line in asked.value.because)


def test_what_cannot_be_true_is_refused_however_it_is_confirmed(session: Session, nurse: Staff) -> None:
    sure = Paper("downtime", confirmed=True)
    with pytest.raises(Refusal, match="does not allow it"):
        _device(session, nurse, 0, 1, sure)
    _typed(session, nurse, -25, "arrived")
    with pytest.raises(Refusal, match="next device is number 1"):
        _device(session, nurse, 0, 2, sure)
    with pytest.raises(Refusal, match="before the session was opened"):
        _typed(session, nurse, -45, "vitals", heart_rate=70)
    with pytest.raises(PermissionDenied):
        _typed(session, nurse, 1, "release_signed")


def test_a_correction_keeps_what_spoke_against_it(session: Session, nurse: Staff) -> None:
    _typed(session, nurse, -25, "arrived")
    _device(session, nurse, 0, 1, Paper("downtime", confirmed=True))
    early = _device(session, nurse, 2, 2, Paper("downtime", confirmed=True))
    better = actions.amend_event(
        event=early, by=nurse, at=TYPED, reason="misread", payload={**early.payload, "lot": "SYN-2"}
    )
    kept = WrittenOnPaper.objects.get(event=better)
    assert kept.reason == "downtime" and any("minutes of rest" in line for line in kept.against)
    gone = actions.amend_event(event=better, by=nurse, at=TYPED, reason="not given", voided=True)
    assert not WrittenOnPaper.objects.filter(event=gone).exists()


@pytest.mark.parametrize(
    ("at", "says"), [(TYPED + timedelta(minutes=1), "in the future"), (TYPED - timedelta(days=8), "more than 7 days")]
)
def test_a_session_from_paper_has_a_time_that_can_be(plan: Plan, nurse: Staff, at: object, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        actions.open_session(
            patient=plan.patient, plan=plan, by=nurse, at=at, recorded_at=TYPED, chair=1, paper=DOWNTIME
        )


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\x00b"])
def test_a_reason_is_needed(reason: str) -> None:
    with pytest.raises(Refusal):
        Paper(reason)


def test_every_place_says_that_it_was_entered_late(
    session: Session, nurse: Staff, as_nurse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(session, nurse, -25, "arrived")
    event = _typed(session, nurse, -10, "vitals", systolic=128, diastolic=80, heart_rate=70)
    clock.install(monkeypatch, TYPED)
    says = f"entered late by {nurse.display_name} at 14:00"
    page = as_nurse.get(reverse("treatment:session", args=[session.pk])).content.decode()
    assert page.count(says) == 2 and "on paper, downtime" in page
    assert 'class="g-late"' in page and "entered late: what stands at 9:05, 9:20" in page
    assert says in as_nurse.get(reverse("journey:timeline", args=[session.patient_id])).content.decode()
    exported = list(session_resources(session, [event], None))
    assert [r["note"][0]["text"] for r in exported if "note" in r] == [says] * len(exported)


def test_a_long_silence_has_no_line(session: Session, nurse: Staff, as_nurse: Client, monkeypatch: object) -> None:
    _typed(session, nurse, -25, "arrived")
    for at in (-20, -10, 50, 60):
        _typed(session, nurse, at, "vitals", heart_rate=70)
    clock.install(monkeypatch, TYPED)  # type: ignore[arg-type]
    page = as_nurse.get(reverse("treatment:session", args=[session.pk])).content.decode()
    assert len(re.findall(r'class="g-acc"', page)) == 2


def _post(browser: Client, path: str, **fields: object) -> tuple[int, str]:
    answer = browser.post(
        path, {"reason": "downtime", "entry_key": f"k{len(fields)}{fields.get('kind', '')}", **fields}
    )
    return answer.status_code, answer.content.decode()


def test_typing_in_a_whole_sheet_on_the_page(
    plan: Plan, nurse: Staff, as_nurse: Client, as_prescriber: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.install(monkeypatch, TYPED)
    found = as_nurse.post(reverse("continuity:paper"), {"record_number": plan.patient.record_number})
    door = reverse("continuity:paper_open", args=[plan.patient_id])
    assert found.status_code == 302 and found["Location"] == door
    assert as_nurse.get(door).status_code == 200
    opened = as_nurse.post(
        door, {"happened_at": "2026-11-24T09:00", "chair": "2", "reason": "downtime", "entry_key": "k"}
    )
    session = Session.objects.get()
    sheet = reverse("continuity:paper_entries", args=[session.pk])
    assert opened["Location"] == sheet and session.at == OPENED and session.chair == 2
    assert "Line of readings" in as_nurse.get(sheet).content.decode()

    assert _post(as_nurse, sheet, kind="arrived", happened_at="2026-11-24T09:05")[0] == 302
    line = {"systolic": "128", "diastolic": "80", "moaas": "5", "level": "none"}
    assert _post(as_nurse, sheet, kind="pad", happened_at="2026-11-24T09:20", **line)[0] == 302
    assert set(SessionEvent.objects.values_list("kind", flat=True)) == {"arrived", "vitals", "sedation", "dissociation"}

    first = {"kind": "device", "happened_at": "2026-11-24T09:30", "number": "1", "lot": "SYN-1"}
    first |= dict.fromkeys(("two_green_dots_before", "not_primed", "no_green_dots_after"), "on")
    first |= {"expires_on": EXPIRES.isoformat()}
    status, page = _post(as_nurse, sheet, **first)
    assert status == 409 and "It happened all the same" in page and "SYN-1" in page
    assert _post(as_nurse, sheet, **first, confirmed="on")[0] == 302
    shown = as_nurse.get(sheet).content.decode()
    assert "Happened although the gate would have refused it" in shown and "SPR-PRE-06" in shown

    screen = as_nurse.get(reverse("treatment:session", args=[session.pk])).content.decode()
    assert "9:30, would have held" in screen and "passed" not in screen

    status, page = _post(as_nurse, sheet, kind="device", happened_at="2026-11-24T09:31", number="x")
    assert status == 409 and "cannot be read" in page and "It happened all the same" not in page
    assert _post(as_nurse, sheet, kind="arrived", happened_at="yesterday")[0] == 200
    asked = as_prescriber.get(f"{sheet}?kind=prescriber_decision").content.decode()
    assert all(rule.rule_id in asked for rule in RULES if rule.override.roles)
    assert "A prescriber on site?" in as_nurse.get(f"{sheet}?kind=answer").content.decode()
    assert as_nurse.get(reverse("continuity:paper")).content.decode().count(str(plan.patient)) == 1


def test_what_cannot_be_opened_from_paper_is_said(
    plan: Plan, as_nurse: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.install(monkeypatch, TYPED)
    unknown = as_nurse.post(reverse("continuity:paper"), {"record_number": "K-0"})
    assert "No patient of this clinic has this number" in unknown.content.decode()
    door = reverse("continuity:paper_open", args=[patient.pk])
    sent = {"happened_at": "2026-11-20T09:00", "chair": "2", "reason": "downtime", "entry_key": "k"}
    refused = as_nurse.post(door, sent)
    assert refused.status_code == 409 and "no signed plan stood at that time" in refused.content.decode()
    assert as_nurse.get(f"{door}?booking=99999").status_code == 404
    assert as_nurse.get(f"{door}?booking=x").status_code == 404
    assert Session.objects.count() == 0
