"""Reading leaves a trace: who opened what, what was refused or not found, and how long lists were; never a name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from ketaclinic.audit.middleware import SHOWN_AGAIN, Reads
from ketaclinic.audit.models import AuditEntry
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.screening.actions import record_medication
from tests.support.clock import Clock
from tests.support.people import NOON, make_clinic, make_patient, make_staff


def entries(**wanted: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**wanted).order_by("pk"))


def test_a_page_about_a_patient_leaves_one_entry(as_nurse: Client, nurse: Staff, patient: Patient) -> None:
    as_nurse.get(reverse("screening:patient", args=[patient.pk]), REMOTE_ADDR="192.0.2.7")
    (entry,) = entries()
    assert (entry.action, entry.outcome, entry.patient_id) == ("read_chart", "done", patient.pk)
    assert (entry.actor_kind, entry.actor_id, entry.actor_role) == ("staff", nurse.pk, "nurse")
    assert (entry.route, entry.from_address) == ("screening:patient", "192.0.2.7")
    assert "medicines" in entry.fields.split() and entry.at == NOON + timedelta(minutes=5)
    assert len(entry.device) == 16 and len(entry.request_id) == 16
    assert as_nurse.session.session_key not in entry.device


def test_two_tablets_of_one_person_are_told_apart(nurse: Staff, patient: Patient) -> None:
    for _ in range(2):
        tablet = Client()
        tablet.force_login(nurse.user)
        tablet.get(reverse("journey:chart", args=[patient.pk]))
    assert len({entry.device for entry in entries()}) == 2


def test_the_entry_names_the_narrowest_object(as_nurse: Client, nurse: Staff, patient: Patient) -> None:
    row = record_medication(patient=patient, by=nurse, at=NOON, display="Lithium")
    as_nurse.get(reverse("screening:stop_medicine", args=[patient.pk, row.pk]))
    (entry,) = entries(action="read_chart")
    assert (entry.object_type, entry.object_id, entry.patient_id) == ("screening.Medication", str(row.pk), patient.pk)


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_to_another_clinic_is_not_found_and_leaves_an_entry(
    method: str, patient: Patient, as_prescriber: Client
) -> None:
    theirs = make_patient(make_clinic(name="Another Synthetic Clinic"))
    address = reverse("people:correct_patient", args=[theirs.pk])
    assert getattr(as_prescriber, method)(address).status_code == 404
    (entry,) = entries()
    assert (entry.action, entry.outcome, entry.clinic_id) == ("attempt", "not_found", patient.clinic_id)
    assert (entry.object_type, entry.object_id, entry.patient_id) == ("people.Patient", str(theirs.pk), None)


def test_an_object_of_another_patient_is_not_found_and_names_whose_page_it_was(
    as_nurse: Client, nurse: Staff, patient: Patient
) -> None:
    row = record_medication(patient=make_patient(patient.clinic), by=nurse, at=NOON, display="Lithium")
    assert as_nurse.get(reverse("screening:stop_medicine", args=[patient.pk, row.pk])).status_code == 404
    (entry,) = entries(outcome="not_found")
    assert (entry.object_type, entry.object_id, entry.patient_id) == ("screening.Medication", str(row.pk), patient.pk)


def test_a_role_that_may_not_leaves_an_entry(clinic: Clinic, patient: Patient) -> None:
    desk = Client()
    desk.force_login(make_staff(clinic, Role.FRONT_DESK).user)
    assert desk.get(reverse("journey:chart", args=[patient.pk])).status_code == 403
    (entry,) = entries()
    assert (entry.action, entry.outcome, entry.actor_role) == ("attempt", "refused", "front_desk")
    assert (entry.route, entry.object_id) == ("journey:chart", f"patient_pk={patient.pk}")


def test_a_page_that_is_no_page_leaves_nothing(as_nurse: Client) -> None:
    assert as_nurse.get("/no-such-page/").status_code == 404
    assert entries() == []


def test_a_stranger_cannot_fill_the_log(clinic: Clinic) -> None:
    stranger = Client(enforce_csrf_checks=True)
    for _ in range(20):
        assert stranger.post(reverse("access:sign_in"), {"username": "x", "password": "y"}).status_code == 403
    (entry,) = entries()
    assert (entry.actor_kind, entry.clinic_id, entry.outcome) == ("unknown", None, "refused")


def test_a_search_tells_how_many_people_were_shown_and_not_what_was_searched(
    as_nurse: Client, patient: Patient
) -> None:
    as_nurse.post(reverse("journey:patients"), {"words": patient.family_name})
    (entry,) = entries()
    assert (entry.action, entry.reason, entry.patient_id) == ("read_list", "1 people", None)
    told = " ".join(str(value) for value in AuditEntry.objects.values_list()[0])
    assert patient.family_name not in told and patient.given_name not in told


def test_a_form_that_was_turned_down_leaves_an_attempt(as_prescriber: Client, patient: Patient) -> None:
    assert as_prescriber.post(reverse("people:correct_patient", args=[patient.pk]), {"reason": ""}).status_code == 422
    (entry,) = entries()
    assert (entry.action, entry.outcome, entry.patient_id) == ("attempt", "refused", patient.pk)


def test_a_question_in_a_body_is_a_reading(as_prescriber: Client, patient: Patient) -> None:
    assert as_prescriber.post(reverse("planning:patient", args=[patient.pk]), {}).status_code == 200
    assert [(entry.action, entry.outcome) for entry in entries()] == [("read_chart", "done")]


def test_what_an_action_writes_says_where_it_came_from(as_prescriber: Client, patient: Patient) -> None:
    names = ("given_name", "birth_date", "sex", "phone", "email", "language")
    sent = {**{name: getattr(patient, name) for name in names}, "family_name": "Renamed", "reason": "Misheard."}
    reply = as_prescriber.post(reverse("people:correct_patient", args=[patient.pk]), sent, REMOTE_ADDR="192.0.2.8")
    assert reply.status_code == 302
    (entry,) = entries()
    assert (entry.action, entry.fields, entry.reason) == ("correct_patient", "family_name", "Misheard.")
    assert (entry.route, entry.from_address, len(entry.device)) == ("people:correct_patient", "192.0.2.8", 16)


# ---- pages that renew themselves -----------------------------------------------------------------------------------


def _board(patient: Patient, by: Staff) -> str:
    """Return the address of a page that renews itself, about one patient."""
    sent = {"file_name": "x.json", "report": ImportReport(patient.pk, patient.record_number, False, 1).as_json()}
    times = dict.fromkeys(("at", "progress_at"), NOON)
    row = FhirImport.objects.create(clinic=patient.clinic, by=by, patient=patient, state="done", **times, **sent)
    return reverse("fhir:import_result", args=[row.pk])


def _poll(browser: Client, address: str, status: int = 200) -> None:
    assert browser.get(address, HTTP_HX_REQUEST="true").status_code == status


def test_a_page_that_renews_itself_leaves_one_entry_a_quarter_of_an_hour(
    as_nurse: Client, nurse: Staff, patient: Patient, clock: Clock
) -> None:
    address = _board(patient, nurse)
    for _ in range(5):
        _poll(as_nurse, address)
        clock.pass_minutes(2)
    assert len(entries()) == 1
    clock.pass_minutes(SHOWN_AGAIN.seconds / 60)
    _poll(as_nurse, address)
    assert len(entries()) == 2


def test_opening_a_page_counts_for_its_polls_and_another_object_does_not(
    as_nurse: Client, nurse: Staff, patient: Patient
) -> None:
    address = _board(patient, nurse)
    as_nurse.get(address)
    _poll(as_nurse, address)
    assert len(entries()) == 1
    _poll(as_nurse, _board(patient, nurse))
    assert len(entries()) == 2, "another object of the same patient is another reading"
    as_nurse.get(address)
    assert len(entries()) == 3, "a person who opens the page again is told of again"


def test_a_part_that_a_person_asks_for_is_told_each_time(as_nurse: Client, patient: Patient) -> None:
    for _ in range(2):
        _poll(as_nurse, reverse("journey:findings", args=[patient.pk]))
    assert len(entries()) == 2


def test_another_worker_knows_what_this_one_wrote(
    as_nurse: Client, nurse: Staff, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, other = _board(patient, nurse), _board(patient, nurse)
    _poll(as_nurse, address)
    monkeypatch.setattr(Reads, "_remember", lambda self, key, at: None)
    as_nurse.handler._middleware_chain = None  # a process that has just started
    as_nurse.handler.load_middleware()
    _poll(as_nurse, address)
    assert len(entries()) == 1
    _poll(as_nurse, other)
    assert len(entries()) == 2, "it knows of which object, too"


@pytest.mark.parametrize("route", ["people:patient", "treatment:session_live"])
def test_whoever_tries_the_records_of_others_leaves_an_entry_each_time(
    as_nurse: Client, patient: Patient, route: str
) -> None:
    theirs = [make_patient(make_clinic(name=f"Another Synthetic Clinic {n}")).pk for n in range(3)]
    for number in theirs * 2:
        _poll(as_nurse, reverse(route, args=[number]), 404)
    found = entries(outcome="not_found", route=route)
    assert [entry.object_id for entry in found] == [str(number) for number in theirs * 2]


def test_a_stranger_who_tries_many_records_cannot_fill_the_log_either(clinic: Clinic) -> None:
    stranger = Client(enforce_csrf_checks=True)
    for number in range(20):
        assert stranger.post(reverse("people:correct_patient", args=[number])).status_code == 403
    assert len(entries()) == 1


def test_what_is_remembered_of_polls_is_bounded(as_nurse: Client, clock: Clock) -> None:
    reads = Reads(lambda request: None)  # type: ignore[arg-type, return-value]
    for number in range(12_000):
        reads._remember((number,), NOON + timedelta(seconds=number))
    assert len(reads._lately) < 6_000
    assert connection.vendor
