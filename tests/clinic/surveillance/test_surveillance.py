"""Screens are recorded, corrected and listed; a blood pressure written down in screening counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.models import Plan
from ketaclinic.policy.actions import sign_policy
from ketaclinic.record.models import TimelineEntry
from ketaclinic.screening.models import VitalSign
from ketaclinic.surveillance import actions, presenters, queries
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import SessionEvent
from ketacore.evidence import Refusal
from ketacore.surveillance import RULES
from tests.clinic.treatment_screens.floor import device, event, make_plan, make_session, measure
from tests.support.people import NOON, make_clinic, make_patient, make_staff

DAY = timedelta(days=1)
FINE, FINDING = "nothing_found", "finding"


def sign(by: Staff) -> None:
    for rule_id in ("LTS-05", "KC-SUR-01"):
        sign_policy(rule=RULES[rule_id], by=by, at=NOON - 90 * DAY)


def record(patient: Patient, by: Staff, kind: str = "bladder", key: str = "k1", **more: object) -> ScreenResult:
    values = {"result": FINE, "at": NOON, **more}
    return actions.record_screen(patient=patient, kind=kind, entry_key=key, by=by, **values)  # type: ignore[arg-type]


def stands(patient: Patient) -> dict[str, str]:
    return {line.kind: line.stand for line in presenters.lines_of(patient, NOON)}


def test_a_result_leaves_its_line(patient: Patient, nurse: Staff) -> None:
    row = record(patient, nurse, "blood_pressure", value="124/78")
    assert record(patient, nurse, "blood_pressure") == row
    assert TimelineEntry.objects.get(patient=patient).title == "Blood pressure at rest: nothing found, 124/78"
    assert str(row) == "Blood pressure at rest on 2026-11-23: Nothing found"


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        ("mri", {}, "no screen mri"),
        ("bladder", {"result": ""}, "no result was chosen"),
        ("bladder", {"result": FINDING}, "without words"),
        ("bladder", {"done_at": NOON + DAY}, "future"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    patient: Patient, nurse: Staff, kind: str, more: dict[str, object], told: str
) -> None:
    with pytest.raises(Refusal, match=told):
        record(patient, nurse, kind, **more)


def test_a_correction_keeps_the_result_before(patient: Patient, nurse: Staff) -> None:
    row, other = record(patient, nurse), record(patient, nurse, "cognition", "k2")
    values = {"row": row, "result": FINDING, "note": "Urgency.", "by": nurse, "at": NOON + DAY}
    with pytest.raises(Refusal, match="no reason"):
        actions.amend_screen(reason=" ", entry_key="k3", **values)
    with pytest.raises(Refusal, match="something else"):
        actions.amend_screen(reason="Asked again.", entry_key=other.entry_key, **values)
    newer = actions.amend_screen(reason="Asked again.", entry_key="k3", **values)
    assert actions.amend_screen(reason="Asked again.", entry_key="k3", **values) == newer
    assert set(queries.results_of(patient, NOON)) == {newer, other}
    with pytest.raises(Refusal, match="corrected already"):
        actions.amend_screen(reason="Again.", entry_key="k4", **values)


def test_a_key_is_for_one_result_and_a_clinic_for_its_own(patient: Patient, nurse: Staff, clinic: Clinic) -> None:
    record(patient, nurse)
    with pytest.raises(Refusal, match="something else"):
        record(make_patient(clinic), nurse)
    with pytest.raises(PermissionDenied):
        record(patient, make_staff(make_clinic(name="Other"), Role.NURSE))


def test_without_a_plan_nothing_is_due(patient: Patient) -> None:
    assert queries.screens_due(patient, NOON) == ()
    assert presenters.chart_card(patient, NOON) is None


def test_where_the_screens_stand(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    make_plan(patient, prescriber, NOON)
    assert set(stands(patient).values()) == {"Interval not signed"}
    sign(prescriber)
    assert set(stands(patient).values()) == {"No result on file"}
    record(patient, prescriber)
    assert stands(patient)["bladder"] == "Up to date"
    card = presenters.chart_card(patient, NOON)
    assert card is not None and card.current == 1 and len(card.asking) == 4
    late = queries.overdue_screens(clinic, NOON)
    assert [entry.patient for entry in late] == [patient]
    assert late[0].longest_overdue_on == (NOON - 20 * DAY).date()
    assert "20 days ago" in {line.kind: line.when for line in presenters.lines_of(patient, NOON)}["cognition"]


def test_the_count_says_when_it_was_made(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    make_plan(patient, prescriber, NOON)
    sign(prescriber)
    counted = queries.overdue_count(clinic, NOON)
    assert (counted.people, counted.counted_at) == (1, NOON)
    for kind in {s.screen.kind for s in queries.screens_due(patient, NOON)}:
        record(patient, prescriber, kind, kind)
    assert queries.overdue_count(clinic, NOON + queries.COUNT_HOLDS / 2) == counted
    again = queries.overdue_count(clinic, NOON + queries.COUNT_HOLDS)
    assert (again.people, again.counted_at) == (0, NOON + queries.COUNT_HOLDS)
    assert queries.overdue_count(clinic, NOON - DAY).counted_at == NOON - DAY


def test_in_the_induction_every_session_asks_again(patient: Patient, prescriber: Staff) -> None:
    sign(prescriber)
    session = make_session(patient, prescriber, NOON - DAY)
    record(patient, prescriber, at=NOON - 2 * DAY)
    device(session, prescriber, NOON - DAY, 1)
    assert stands(patient)["bladder"] == "Overdue"
    record(patient, prescriber, key="k2")
    assert stands(patient)["bladder"] == "Up to date"


def test_a_measurement_in_screening_counts(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    sign(prescriber)
    make_plan(patient, prescriber, NOON)
    row = {"clinic": clinic, "patient": patient, "recorded_at": NOON, "recorded_by": prescriber}
    record(patient, prescriber, "blood_pressure", at=NOON - 5 * DAY)
    for days in (1, 9):
        at = NOON - days * DAY
        VitalSign.objects.create(**row, at=at, kind="blood_pressure", value=124, value_2=78, unit="mmHg")
    due = {s.screen.kind: s for s in queries.screens_due(patient, NOON)}
    assert due["blood_pressure"].last_on == (NOON - DAY).date()
    assert queries.screens_of_clinic(clinic, NOON)[0].screens == queries.screens_due(patient, NOON)
    earlier = {s.screen.kind: s for s in queries.screens_due(patient, NOON - 2 * DAY)}
    assert earlier["blood_pressure"].last_on == (NOON - 5 * DAY).date()


def test_a_protocol_this_release_does_not_know(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    row = {"clinic": clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": prescriber}
    fields = {"protocol_id": "gone", "protocol_version": 1, "product": "esketamine-nasal"}
    Plan.objects.create(**row, **fields, starts_on=NOON.date(), signed_by=prescriber)
    assert set(stands(patient).values()) == {"Interval not signed"}


def test_a_result_on_the_page(as_nurse: Client, patient: Patient, prescriber: Staff) -> None:
    make_plan(patient, prescriber, NOON)
    path = f"/surveillance/{patient.pk}/"
    assert "No result is on file" in as_nurse.get(path).content.decode()
    assert as_nurse.get(f"{path}record/?kind=bladder").status_code == 200
    sent = {"kind": "bladder", "result": FINE, "entry_key": "web"}
    assert as_nurse.post(f"{path}record/", {**sent, "result": FINDING}).status_code == 422
    assert as_nurse.post(f"{path}record/", {**sent, "done_on": "2126-01-01"}).status_code == 422
    assert "Saved." in as_nurse.post(f"{path}record/", {**sent, "done_on": "2026-01-05"}, follow=True).content.decode()
    assert as_nurse.post(f"{path}record/", {**sent, "kind": "cognition"}).status_code == 409
    row = ScreenResult.objects.get()
    correct = f"/surveillance/result/{row.pk}/correct/"
    assert as_nurse.get(correct).status_code == 200
    sent = {"result": FINDING, "note": "Urgency.", "reason": "Asked again.", "entry_key": "web2"}
    assert as_nurse.post(correct, {**sent, "reason": ""}).status_code == 422
    reply = as_nurse.post(correct, {**sent, "done_on": "2026-01-06"}, follow=True)
    assert "The earlier result is kept" in reply.content.decode()
    assert as_nurse.post(correct, {**sent, "entry_key": "web3"}).status_code == 409
    page = as_nurse.get(path).content.decode()
    assert "Urgency." in page and "6 Jan 2026" in page


def test_another_clinic_finds_nothing(client: Client, patient: Patient, nurse: Staff) -> None:
    row = record(patient, nurse)
    client.force_login(make_staff(make_clinic(name="Other")).user)
    for path in (f"{patient.pk}/", f"{patient.pk}/record/", f"result/{row.pk}/correct/"):
        assert client.get(f"/surveillance/{path}").status_code == 404


def pressure_on(patient: Patient, at: datetime) -> object:
    return {s.screen.kind: s.last_on for s in queries.screens_due(patient, at)}["blood_pressure"]


def test_a_blood_pressure_before_the_dose_is_one_at_rest(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    sign(prescriber)
    first = make_session(patient, prescriber, NOON - 8 * DAY)
    minute = timedelta(minutes=1)
    measure(first, prescriber, first.at + 10 * minute, (124, 78))
    assert pressure_on(patient, NOON) is None, "nothing was given: the session may not even have begun"
    device(first, prescriber, first.at + 15 * minute, 1)
    assert pressure_on(patient, NOON) == (NOON - 8 * DAY).date()
    newest = make_session(patient, prescriber, NOON - DAY)
    device(newest, prescriber, newest.at + 15 * minute, 1)
    measure(newest, prescriber, newest.at + 55 * minute, (141, 88))
    assert pressure_on(patient, NOON) is None, "after the dose is not at rest"
    corrected = measure(newest, prescriber, newest.at + 5 * minute, (128, 80))
    assert pressure_on(patient, NOON) == (NOON - DAY).date()
    assert pressure_on(patient, newest.at + 10 * minute) == (NOON - 8 * DAY).date(), "as it was known then"
    assert queries.screens_of_clinic(clinic, NOON)[-1].screens == queries.screens_due(patient, NOON)
    gone = {"session": newest, "kind": "vitals", "payload": corrected.payload, "voided": True, "entry_key": "undo"}
    who = {"clinic": clinic, "patient": patient, "at": corrected.at, "recorded_at": NOON, "recorded_by": prescriber}
    SessionEvent.objects.create(**who, **gone, amends=corrected)
    assert pressure_on(patient, NOON) is None


def test_a_saturation_alone_is_no_blood_pressure(patient: Patient, prescriber: Staff) -> None:
    sign(prescriber)
    session = make_session(patient, prescriber, NOON - DAY)
    values = {"systolic": None, "diastolic": None, "oxygen_saturation": 97}
    event(session, prescriber, session.at, "vitals", **values)
    event(session, prescriber, session.at, "vitals", oxygen_saturation=97)
    device(session, prescriber, session.at + timedelta(minutes=15), 1)
    assert pressure_on(patient, NOON) is None


def test_the_newest_measurement_counts_wherever_it_was_made(patient: Patient, prescriber: Staff) -> None:
    sign(prescriber)
    session = make_session(patient, prescriber, NOON - 4 * DAY)
    measure(session, prescriber, session.at, (124, 78))
    device(session, prescriber, session.at + timedelta(minutes=15), 1)
    row = {"clinic": patient.clinic, "patient": patient, "recorded_at": NOON, "recorded_by": prescriber}
    fields = {"kind": "blood_pressure", "value": 124, "value_2": 78, "unit": "mmHg"}
    VitalSign.objects.create(**row, **fields, at=NOON - 9 * DAY)
    assert pressure_on(patient, NOON) == (NOON - 4 * DAY).date()
    VitalSign.objects.create(**row, **fields, at=NOON - 2 * DAY)
    assert pressure_on(patient, NOON) == (NOON - 2 * DAY).date()


def test_the_clinic_is_read_set_by_set(
    prescriber: Staff, clinic: Clinic, django_assert_max_num_queries: object
) -> None:
    sign(prescriber)
    for _ in range(5):
        session = make_session(make_patient(clinic), prescriber, NOON - DAY)
        measure(session, prescriber, session.at, (124, 78))
        device(session, prescriber, session.at + timedelta(minutes=15), 1)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        found = queries.screens_of_clinic(clinic, NOON)
    assert [entry.screens for entry in found] == [queries.screens_due(entry.patient, NOON) for entry in found]


def test_the_page_writes_days_as_people_do(as_nurse: Client, patient: Patient, prescriber: Staff) -> None:
    sign(prescriber)
    make_plan(patient, prescriber, NOON)
    record(patient, prescriber, at=NOON - 16 * DAY)
    page = as_nurse.get(f"/surveillance/{patient.pk}/").content.decode()
    assert "last on 7 Nov 2026" in page and "2026-11-07" not in page
