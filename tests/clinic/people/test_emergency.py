"""A chart opened in an emergency: for one patient, for reading, for an hour, with a reason, and reviewed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.test import Client

from ketaclinic.audit.models import AuditEntry
from ketaclinic.config.environment import minutes
from ketaclinic.people.actions import close_emergency, open_emergency, review_emergency
from ketaclinic.people.models import Clinic, EmergencyAccess, EmergencyClosing, EmergencyReview, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.people.queries import emergencies_to_review
from ketacore.evidence import Refusal
from tests.clinic.treatment_screens.floor import full_floor
from tests.support.clock import Clock
from tests.support.people import make_clinic, make_patient, make_staff

WHY = "Found unconscious in the waiting room, nobody of the floor answers."


@pytest.fixture
def desk(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.FRONT_DESK)


@pytest.fixture
def manager(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.MANAGER)


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def test_the_door_opens_for_one_patient_for_reading_and_closes_by_itself(
    desk: Staff, patient: Patient, clock: Clock
) -> None:
    client, other = signed_in(desk), make_patient(desk.clinic)
    chart, form = f"/patients/{patient.pk}/", f"/patients/{patient.pk}/emergency/"
    assert client.get(chart).status_code == 403
    assert "in an emergency" in client.get(f"{chart}details/").content.decode()
    assert client.get(form).status_code == 200
    assert client.post(form, {"reason": "because"}).status_code == 422
    assert client.post(form, {"reason": " " * 30 + "x"}).status_code == 422
    assert not EmergencyAccess.objects.exists()
    opened = client.post(form, {"reason": WHY}, follow=True)
    assert opened.redirect_chain == [(chart, 302)] and "EMERGENCY ACCESS" in opened.content.decode()
    for page in ("screening", "consent", "planning", "followup", "surveillance", "maintenance"):
        shown = client.get(f"/{page}/{patient.pk}/")
        assert shown.status_code == 200, page
        if page != "planning":  # the front desk sees that page anyway
            assert "EMERGENCY ACCESS" in shown.content.decode(), page
    assert client.get(f"{chart}timeline/").status_code == 200
    assert client.post(f"/followup/{patient.pk}/answer/phq9/", {}).status_code == 403
    assert client.post(f"/screening/{patient.pk}/answer/", {"question": "pregnant", "answer": "no"}).status_code == 403
    assert client.get(f"/patients/{other.pk}/").status_code == 403
    read = AuditEntry.objects.filter(action="read_in_emergency", patient_id=patient.pk, actor_id=desk.pk)
    assert read.count() == 7 and read.last().reason == WHY
    clock.pass_minutes(59)
    assert client.get(chart).status_code == 200
    clock.pass_minutes(1)
    assert client.get(chart).status_code == 403
    assert EmergencyAccess.objects.get().until == EmergencyAccess.objects.get().at + timedelta(hours=1)


def test_asked_again_while_open_it_is_the_same_access(desk: Staff, patient: Patient, clock: Clock) -> None:
    first = open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
    assert open_emergency(patient=patient, by=desk, at=clock.at, reason="") == first
    again = open_emergency(patient=patient, by=desk, at=first.until, reason=WHY)
    assert again != first and str(first).startswith("Emergency access by")


def test_what_is_needed_at_once_stands_first(desk: Staff, prescriber: Staff, patient: Patient, clock: Clock) -> None:
    open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
    for person, first in ((desk, "Medicines"), (prescriber, "How it has been")):
        page = signed_in(person).get(f"/patients/{patient.pk}/").content.decode()
        assert page.count(">Medicines<") == 1
        assert min(("Medicines", "How it has been"), key=lambda title: page.index(f">{title}<")) == first


def test_who_sits_in_a_chair_is_shown_with_what_was_measured(desk: Staff, clock: Clock) -> None:
    director = make_staff(desk.clinic, Role.PRESCRIBER, is_medical_director=True)
    high = full_floor(desk.clinic, make_staff(desk.clinic, Role.NURSE), director, clock.at)[6]
    open_emergency(patient=high.patient, by=desk, at=clock.at, reason=WHY)
    page = signed_in(desk).get(f"/patients/{high.patient_id}/").content.decode()
    assert "Chair 6: " in page and "184/102 at " in page and "Last SpO2 97 at " in page
    assert page.index("184/102") < page.index(">Medicines<")


def test_it_is_closed_early_by_whoever_opened_it_on_the_chart_itself(
    desk: Staff, patient: Patient, clock: Clock
) -> None:
    access = open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
    client, chart, close = signed_in(desk), f"/patients/{patient.pk}/", f"/emergency/{access.pk}/close/"
    assert f'action="{close}"' in client.get(chart).content.decode()
    assert f'action="{close}"' in client.get("/emergency/").content.decode()
    clock.pass_minutes(5)
    assert client.post(close).status_code == 302
    assert client.get(chart).status_code == 403
    clock.pass_minutes(1)
    assert client.post(close).status_code == 302  # over already: it stays as it is
    closing = EmergencyClosing.objects.get()
    assert closing.at == access.at + timedelta(minutes=5) and str(closing).startswith("Closed by")
    assert AuditEntry.objects.filter(action="close_emergency", patient_id=patient.pk, actor_id=desk.pk).count() == 1
    shown = client.get("/emergency/").content.decode()
    chief = signed_in(make_staff(patient.clinic, Role.MANAGER)).get("/").content.decode()
    assert "not reviewed" in chief and "open now" not in chief
    refused = client.get(chart).content.decode()
    assert "under Emergency; if you had, it is closed again" in refused
    assert "open now" not in shown and f'action="{close}"' not in shown
    again = open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
    assert again != access and client.get(chart).status_code == 200


def test_it_is_closed_by_the_manager_or_the_director_and_by_nobody_else(
    desk: Staff, manager: Staff, prescriber: Staff, patient: Patient, clock: Clock
) -> None:
    for person in (manager, prescriber):
        access = open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
        clock.pass_minutes(1)
        colleague = signed_in(make_staff(patient.clinic, Role.FRONT_DESK)).post(f"/emergency/{access.pk}/close/")
        assert colleague.status_code == 409 and "open for somebody else" in colleague.content.decode()
        assert (
            f'action="/emergency/{access.pk}/close/"'
            in signed_in(person).get(f"/emergency/{access.pk}/").content.decode()
        )
        assert signed_in(person).post(f"/emergency/{access.pk}/close/").status_code == 302
        assert signed_in(desk).get(f"/patients/{patient.pk}/").status_code == 403
        assert emergencies_to_review(person).filter(pk=access.pk).exists()
    with pytest.raises(PermissionDenied):
        close_emergency(access=access, by=make_staff(patient.clinic, Role.NURSE), at=clock.at)
    with pytest.raises(PermissionDenied, match="another clinic"):
        close_emergency(access=access, by=make_staff(make_clinic(), Role.MANAGER), at=clock.at)


def test_who_may_not(patient: Patient, clock: Clock) -> None:
    for role in (Role.RESEARCHER, Role.PRESCRIBER, Role.NURSE, Role.THERAPIST):
        with pytest.raises(PermissionDenied):
            open_emergency(patient=patient, by=make_staff(patient.clinic, role), at=clock.at, reason=WHY)
    stranger = make_staff(make_clinic(), Role.MANAGER)
    with pytest.raises(PermissionDenied, match="another clinic"):
        open_emergency(patient=patient, by=stranger, at=clock.at, reason=WHY)
    closed = make_staff(patient.clinic, Role.MANAGER, is_active=False)
    with pytest.raises(PermissionDenied):
        open_emergency(patient=patient, by=closed, at=clock.at, reason=WHY)


def test_the_manager_and_the_director_are_told_until_somebody_else_has_reviewed_it(
    desk: Staff, manager: Staff, prescriber: Staff, patient: Patient, clock: Clock
) -> None:
    access = open_emergency(patient=patient, by=desk, at=clock.at, reason=WHY)
    clock.pass_minutes(90)
    for person in (manager, prescriber):
        page = signed_in(person).get("/").content.decode()
        assert "Charts opened in an emergency" in page and f"/emergency/{access.pk}/" in page
    other = make_staff(patient.clinic, Role.PRESCRIBER)
    assert "Charts opened in an emergency" not in signed_in(other).get("/").content.decode()
    assert not emergencies_to_review(other).exists()
    client = signed_in(manager)
    page = f"/emergency/{access.pk}/"
    assert WHY in client.get(page).content.decode()
    assert f"audit report --patient {patient.record_number}" in client.get(page).content.decode()
    assert client.post(page, {"outcome": "justified", "note": ""}).status_code == 422
    assert client.post(page, {"outcome": "justified", "note": "Fine."}).status_code == 422
    assert client.post(page, {"outcome": "justified", "note": "An ambulance came at noon."}).status_code == 302
    assert client.post(page, {"outcome": "justified", "note": "The same person once more."}).status_code == 422
    for person in (manager, prescriber):
        assert "Charts opened in an emergency" not in signed_in(person).get("/").content.decode()
    shown = client.get("/emergency/").content.decode()
    assert "It was justified" in shown and "An ambulance came at noon." in shown
    assert "An ambulance came at noon." in client.get(page).content.decode()
    assert AuditEntry.objects.filter(action="review_emergency", patient_id=patient.pk).count() == 1


def test_nobody_reviews_their_own(manager: Staff, prescriber: Staff, patient: Patient, clock: Clock) -> None:
    access = open_emergency(patient=patient, by=manager, at=clock.at, reason=WHY)
    told = {"outcome": "justified", "note": "I was right."}
    with pytest.raises(Refusal, match="yourself"):
        review_emergency(access=access, by=manager, at=clock.at, **told)
    assert not emergencies_to_review(manager).exists() and emergencies_to_review(prescriber).exists()
    assert "nobody reviews their own" in signed_in(manager).get(f"/emergency/{access.pk}/").content.decode()
    with pytest.raises(Refusal, match="manager or the medical director"):
        review_emergency(access=access, by=make_staff(patient.clinic, Role.PRESCRIBER), at=clock.at, **told)
    with pytest.raises(Refusal, match="outcome"):
        review_emergency(access=access, by=prescriber, at=clock.at, outcome="maybe", note="x")
    review_emergency(access=access, by=prescriber, at=clock.at, outcome="not_justified", note="Called the floor first?")
    with pytest.raises(Refusal, match="has reviewed it"):
        review_emergency(access=access, by=prescriber, at=clock.at, **told)
    assert EmergencyReview.objects.get().by == prescriber


def test_a_patient_is_found_by_the_whole_number_in_ones_own_clinic_only(
    manager: Staff, desk: Staff, patient: Patient
) -> None:
    client = signed_in(manager)
    found = client.post("/emergency/find/", {"record_number": f" {patient.record_number.lower()} "})
    assert found["Location"] == f"/patients/{patient.pk}/emergency/"
    elsewhere = make_patient(make_clinic())
    for number in (elsewhere.record_number, patient.record_number[:-1], "K-1"):
        answer = client.post("/emergency/find/", {"record_number": number})
        assert answer.status_code == 422 and "No patient of this clinic" in answer.content.decode()
    assert client.post("/emergency/find/", {}).status_code == 422


def test_who_does_not_review_sees_only_their_own(desk: Staff, manager: Staff, patient: Patient, clock: Clock) -> None:
    open_emergency(patient=patient, by=manager, at=clock.at, reason=WHY)
    assert WHY not in signed_in(desk).get("/emergency/").content.decode()
    assert WHY in signed_in(manager).get("/emergency/").content.decode()
    assert signed_in(desk).get("/emergency/1/").status_code == 403


@pytest.mark.parametrize("told", ["0", "481", "an hour", "1.5", "-5"])
def test_the_limit_is_a_number_of_minutes(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("KETACLINIC_EMERGENCY_MINUTES", told)
    with pytest.raises(ImproperlyConfigured, match="from 1 to 480"):
        minutes("KETACLINIC_EMERGENCY_MINUTES", 60, longest=480)
    monkeypatch.delenv("KETACLINIC_EMERGENCY_MINUTES")
    assert minutes("KETACLINIC_EMERGENCY_MINUTES", 60, longest=480) == timedelta(hours=1)
