"""From arrival to the way home by the clinic's own actions, and the screens at each moment of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.aftercare.actions import give_instructions
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.planning.models import Plan
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.treatment import actions, queries
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import RemsEnrolment, Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.treatment import phase
from tests.clinic.treatment.whole import (
    EXPIRES,
    OPENED,
    TODAY,
    checked,
    dosed,
    measured,
    minute,
    observed,
    opened,
    ready_plan,
    sign_everything,
)
from tests.support import clock
from tests.support.people import make_patient

LEAVE = {"esketamine-nasal": 126.0, "ketamine-iv": 106.0}


@pytest.fixture(params=sorted(LEAVE))
def plan(request: pytest.FixtureRequest, patient: Patient, prescriber: Staff) -> Plan:
    sign_everything(prescriber)
    return ready_plan(patient, prescriber, request.param)


@pytest.fixture
def session(plan: Plan, nurse: Staff) -> Session:
    return opened(plan, nurse)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_from_arrival_to_the_way_home(
    session: Session, nurse: Staff, prescriber: Staff, as_nurse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave, product = LEAVE[session.product], session.product
    path, seen = f"/treatment/session/{session.pk}/", []
    now = clock.install(monkeypatch, minute(-28))

    def look(at: float) -> str:
        now.at = minute(at)
        seen.append(phase(facts_of(session, now.at), now.at).value)
        assert page(as_nurse, "/treatment/floor/") and page(as_nurse, "/treatment/wall/")
        return page(as_nurse, path)

    look(-28)
    checked(session, nurse)
    look(-1)
    dosed(session, nurse)
    look(2), look(12), look(20), look(50)
    observed(session, nurse, prescriber, leave)
    with pytest.raises(Refusal, match="missing: written instructions"):
        actions.discharge(session=session, by=nurse, at=minute(leave))
    give_instructions(session=session, by=nurse, at=minute(leave - 1))
    look(leave)
    actions.discharge(session=session, by=nurse, at=minute(leave), escort="Daniel")
    look(leave + 1)
    giving = "dosing" if product == "esketamine-nasal" else "infusion"
    after = ["observation"] * 3 if giving == "dosing" else ["infusion", "infusion", "observation"]
    assert seen == ["arriving", "ready", giving, *after, "leaving", "left"]
    (given,) = queries.given_sessions(session.patient, minute(leave + 1))
    assert given.dose_mg == (56.0 if giving == "dosing" else pytest.approx(40.5, abs=0.05))
    assert queries.last_session_given(session.patient, minute(leave)) == given
    assert queries.open_sessions(session.clinic, minute(leave + 1)) == []
    kept = StoredDecision.objects.filter(patient=session.patient, room="treatment").order_by("pk")
    assert list(kept.values_list("question", "outcome")) == [
        ("may_start", "may_start"),
        ("ready_for_discharge", "ready"),
    ]
    assert TimelineEntry.objects.filter(patient=session.patient, kind="discharged").exists()
    assert list(queries.sessions_of(session.patient, minute(leave))) == [session]


def test_the_floor_of_both_products_is_read_within_twelve_queries(
    clinic: Clinic,
    prescriber: Staff,
    nurse: Staff,
    as_nurse: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: object,
) -> None:
    sign_everything(prescriber)
    for chair, product in enumerate(["esketamine-nasal", "ketamine-iv"] * 3, start=1):
        session = opened(ready_plan(make_patient(clinic), prescriber, product), nurse, chair)
        if chair > 2:
            checked(session, nurse)
        if chair > 4:
            dosed(session, nurse)
    clock.install(monkeypatch, minute(50))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert as_nurse.get("/treatment/floor/").status_code == 200


def test_a_held_dose_waits_for_the_prescriber(session: Session, nurse: Staff, prescriber: Staff) -> None:
    actions.arrive(session=session, by=nurse, at=minute(-25))
    checked_again = actions.record_prescriber_decision(
        session=session, about="SPR-PRE-01-DOSE", ruling="go_ahead", reason="usual", by=prescriber, at=minute(-5)
    )
    assert str(checked_again)
    assert TimelineEntry.objects.filter(kind="prescriber_decision").exists()
    with pytest.raises(PermissionDenied):
        actions.sign_release(session=session, by=nurse, at=minute(1))


def test_dosing_may_end_early_and_a_session_may_be_stopped(
    patient: Patient, nurse: Staff, prescriber: Staff, as_nurse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_everything(prescriber)
    session = opened(ready_plan(patient, prescriber), nurse)
    checked(session, nurse)
    actions.give_device(session=session, number=1, lot="SYN-1", expires_on=EXPIRES, by=nurse, at=minute(0))
    actions.end_dosing(session=session, reason="nausea", by=nurse, at=minute(4))
    actions.record_symptom(session=session, symptom="nausea", present=False, by=nurse, at=minute(9))
    clock.install(monkeypatch, minute(10))
    assert "nausea" in page(as_nurse, f"/treatment/session/{session.pk}/")
    actions.stop_session(session=session, outcome="emergency_transfer", reason="pain", by=nurse, at=minute(11))
    assert queries.given_sessions(patient, minute(20))[0].dose_mg == 28.0
    titles = set(TimelineEntry.objects.filter(patient=patient).values_list("title", flat=True))
    assert {"Dosing ended early: nausea", "No nausea", "Session closed, emergency transfer: pain"} <= titles


@pytest.mark.parametrize(
    ("entry", "because"),
    [
        ({"at": OPENED - timedelta(minutes=1)}, "before the session was opened"),
        ({"at": OPENED + timedelta(minutes=9), "recorded_at": OPENED}, "in the future"),
    ],
)
def test_an_entry_lies_within_the_session(
    session: Session, nurse: Staff, entry: dict[str, object], because: str
) -> None:
    with pytest.raises(Refusal, match=because):
        actions.record_event(session=session, kind="arrived", payload={}, by=nurse, **entry)  # type: ignore[arg-type]


def test_dose_steps_stay_in_order_when_corrected(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    sign_everything(prescriber)
    session = opened(ready_plan(patient, prescriber), nurse)
    checked(session, nurse)
    dosed(session, nurse)
    first, second = SessionEvent.objects.filter(session=session, kind="device").order_by("at")
    change = {"by": nurse, "at": minute(50)}
    with pytest.raises(Refusal, match="was written down after it"):
        actions.amend_event(event=first, reason="wrong", voided=True, **change)
    with pytest.raises(Refusal, match="no reason"):
        actions.amend_event(event=second, reason=" ", voided=True, **change)
    with pytest.raises(Refusal, match="SPR-ADM-04"):
        actions.amend_event(event=second, reason="typed", happened_at=minute(2), **change)
    new = actions.amend_event(event=second, reason="typed", happened_at=minute(6), entry_key="a", **change)
    assert actions.amend_event(event=second, reason="typed", entry_key="a", **change) == new
    with pytest.raises(Refusal, match="already amended"):
        actions.amend_event(event=second, reason="again", **change)
    gone = actions.undo_last(session=session, by=nurse, at=minute(51))
    assert not gone.voided and gone.at == second.at
    with pytest.raises(Refusal, match="no entry of yours"):
        actions.undo_last(session=session, by=prescriber, at=minute(51))
    third = {"session": session, "number": 2, "lot": "SYN-1", "expires_on": EXPIRES, "by": nurse}
    measured(session, nurse, 52, (130, 80))
    with pytest.raises(Refusal):
        actions.give_device(**third, at=minute(-1))


def test_opening_is_checked(session: Session, nurse: Staff, prescriber: Staff, clinic: Clinic) -> None:
    ask = {"patient": session.patient, "plan": session.plan, "by": nurse, "at": OPENED}
    assert actions.open_session(**ask, chair=2, entry_key=session.entry_key) == session
    for chair, because in ((99, "no chair 99"), (1, "taken by")):
        with pytest.raises(Refusal, match=because):
            actions.open_session(**ask, chair=chair)
    with pytest.raises(Refusal, match="another patient"):
        other = {**ask, "patient": make_patient(clinic)}
        actions.open_session(**other, chair=2, entry_key=session.entry_key)


def test_another_dose_needs_a_prescriber_and_a_reason(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    sign_everything(prescriber)
    ask = {"patient": patient, "plan": ready_plan(patient, prescriber), "at": OPENED, "chair": 1}
    with pytest.raises(Refusal, match="the plan means"):
        actions.open_session(**ask, by=nurse, dose_mg=Decimal(28), dose_reason="small")
    session = actions.open_session(**ask, by=prescriber, dose_mg=Decimal(28), dose_reason="small")
    assert session.dose_mg == Decimal(28)


def test_rems_enrolment_is_a_day_in_the_past(patient: Patient, nurse: Staff, as_nurse: Client) -> None:
    with pytest.raises(Refusal, match="future"):
        actions.enrol_in_rems(patient=patient, by=nurse, at=OPENED, enrolled_on=TODAY + timedelta(days=1))
    path = f"/treatment/enrol/{patient.pk}/"
    assert as_nurse.post(path, {"enrolled": "maybe"}).status_code == 422
    assert as_nurse.post(path, {"enrolled": "no", "enrolled_on": "2026-01-02"}).status_code == 302
    assert str(RemsEnrolment.objects.get()) == "Not enrolled in the REMS"


def test_the_open_page_opens_once_and_says_why_not(
    plan: Plan, nurse: Staff, as_nurse: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.install(monkeypatch, OPENED)
    path = f"/treatment/open/{plan.patient_id}/"
    assert 'name="chair"' in page(as_nurse, path)
    sent = {"chair": "2", "entry_key": "o1"}
    if plan.product == "esketamine-nasal":
        assert as_nurse.post(path, {**sent, "dose_mg": "28"}).status_code == 409
    answer = as_nurse.post(path, sent)
    session = Session.objects.get()
    assert answer.status_code == 302 and str(session.pk) in answer.url and str(session)
    assert as_nurse.get(path).status_code == 302
    assert session.opened_at == OPENED
    assert page(as_nurse, f"/treatment/open/{make_patient(clinic).pk}/")


def test_the_tablet_hears_in_json(session: Session, as_nurse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.install(monkeypatch, minute(-20))
    base, json = f"/treatment/session/{session.pk}", {"headers": {"Accept": "application/json"}}
    saved = as_nurse.post(f"{base}/record/", {"kind": "arrived", "entry_key": "j1"}, **json).json()
    assert saved["phase"] == "ready" and saved["saved"][0]["entry_key"] == "j1"
    refused = as_nurse.post(f"{base}/record/", {"kind": "discharged", "entry_key": "j2"}, **json)
    assert refused.status_code == 409 and refused.json()["because"] and refused.json()["do"]
    seen = as_nurse.post(f"{base}/acknowledge/", {"alert": "x", "entry_key": "j2"}, **json)
    assert seen.status_code == 409 and "no such alert" in seen.json()["because"][0]
    answer = {"kind": "answer", "question": "ride_arranged", "answer": "yes", "entry_key": "j3"}
    assert as_nurse.post(f"{base}/record/", answer, **json).status_code == 200
    row = SessionEvent.objects.get(entry_key="j1")
    wrong = as_nurse.post(f"{base}/entry/{row.pk}/", {"reason": " x", "happened_at": "2020-01-01 10:00",
                                                       "entry_key": "j4"}, **json)  # fmt: skip
    assert wrong.status_code == 409
    assert as_nurse.post(f"{base}/entry/{row.pk}/", {"reason": "x", "happened_at": "2020-01-01 10:00",
                                                     "entry_key": "j5"}).status_code == 409  # fmt: skip
    assert as_nurse.post(f"{base}/undo/", {"entry_key": "j6"}, **json).status_code == 200
    assert as_nurse.post(f"{base}/undo/", {"entry_key": "j7"}, headers={"HX-Request": "true"}).status_code == 200
    assert as_nurse.post(f"{base}/undo/", {"entry_key": "j8"}, **json).status_code == 409
    assert as_nurse.get(f"{base}/entry/999999/").status_code == 404


def test_an_infusion_is_not_dosed_by_an_old_weight(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    sign_everything(prescriber)
    plan = ready_plan(patient, prescriber, "ketamine-iv")
    ask = {"patient": patient, "plan": plan, "by": nurse, "at": OPENED + timedelta(days=200), "chair": 1}
    with pytest.raises(Refusal, match="Computing today's dose"):
        actions.open_session(**ask)
