"""Patients and caregivers: who gets a sign-in, what it opens, and what it never opens."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.transaction import atomic
from django.test import Client

from ketaclinic.access.actions.places import invite_to_care
from ketaclinic.access.models import Presence
from ketaclinic.audit.models import AuditEntry
from ketaclinic.people.actions import give_access, name_caregiver, withdraw_access
from ketaclinic.people.models import Caregiver, Clinic, Patient, PersonalAccess, Staff, User
from ketaclinic.people.permissions import Permission, Role, check_in_clinic, check_may, may
from ketacore.evidence import Refusal
from tests.support.people import NOON, make_clinic, make_patient, make_staff


@pytest.fixture
def carer(patient: Patient, nurse: Staff) -> Caregiver:
    return name_caregiver(patient=patient, by=nurse, at=NOON, name="Synthetic Carer", relationship="partner")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_access_is_given_once_and_says_nothing_in_its_name(patient: Patient, nurse: Staff, carer: Caregiver) -> None:
    own = give_access(patient=patient, by=nurse, at=NOON)
    theirs = give_access(patient=patient, caregiver=carer, by=nurse, at=NOON)
    assert give_access(patient=patient, by=nurse, at=NOON) == own != theirs
    assert (own.role, theirs.role) == ("patient", "caregiver")
    assert (str(own), str(theirs)) == (str(patient), "Synthetic Carer")
    assert own.get_role_display() == "Patient" and own.may(Permission.SEE_OWN_CARE)
    assert not theirs.may(Permission.SEE_OWN_CARE) and theirs.permissions == {Permission.SEE_HOME, Permission.SEE_WARD}
    for access in (own, theirs):
        assert not access.user.has_usable_password()
        told = access.user.username.lower()
        assert not any(part.lower() in told for part in (patient.family_name, patient.record_number, "carer"))
    assert AuditEntry.objects.filter(action="give_access", patient_id=patient.pk).count() == 2


def test_a_caregiver_of_somebody_else_gets_none(patient: Patient, nurse: Staff, carer: Caregiver) -> None:
    with pytest.raises(Refusal, match="does not look after"):
        give_access(patient=make_patient(patient.clinic), caregiver=carer, by=nurse, at=NOON)


def test_a_withdrawn_access_opens_nothing_and_can_be_given_again(patient: Patient, nurse: Staff) -> None:
    own = give_access(patient=patient, by=nurse, at=NOON)
    assert invite_to_care(access=own, by=nurse, at=NOON)
    client = Client()
    client.force_login(own.user)
    assert client.get("/me/").status_code == 200
    withdraw_access(access=own, by=nurse, at=NOON, reason="asked for it")
    withdraw_access(access=own, by=nurse, at=NOON)
    assert AuditEntry.objects.filter(action="withdraw_access").count() == 1
    assert client.get("/me/")["Location"].startswith("/sign-in/")
    own.user.refresh_from_db()
    assert not own.user.has_usable_password()
    assert own.permissions == frozenset() and not own.may(Permission.SEE_HOME)
    with pytest.raises(Refusal, match="withdrawn"):
        invite_to_care(access=own, by=nurse, at=NOON)
    assert give_access(patient=patient, by=nurse, at=NOON) == own
    assert PersonalAccess.objects.get().is_active


def test_only_some_may_give_it_and_only_in_their_clinic(patient: Patient) -> None:
    with pytest.raises(PermissionDenied):
        give_access(patient=patient, by=make_staff(patient.clinic, Role.THERAPIST), at=NOON)
    with pytest.raises(PermissionDenied, match="another clinic"):
        give_access(patient=patient, by=make_staff(make_clinic(), Role.NURSE), at=NOON)


def test_one_own_access_a_patient(patient: Patient, nurse: Staff) -> None:
    give_access(patient=patient, by=nurse, at=NOON)
    with pytest.raises(IntegrityError), atomic():
        second = User.objects.create_user(username="care-second")
        PersonalAccess.objects.create(user=second, clinic=patient.clinic, patient=patient)


def test_the_actor_is_held_to_one_patient(patient: Patient, nurse: Staff, carer: Caregiver) -> None:
    own = give_access(patient=patient, by=nurse, at=NOON)
    check_in_clinic(own, patient)
    check_in_clinic(own, carer)
    with pytest.raises(PermissionDenied, match="somebody else"):
        check_in_clinic(own, make_patient(patient.clinic))
    with pytest.raises(PermissionDenied, match="another clinic"):
        check_in_clinic(own, make_patient(make_clinic()))
    with pytest.raises(PermissionDenied):
        check_may(own, Permission.SEE_CHART)
    assert not may("no such role", Permission.SEE_HOME)


def test_a_place_among_the_staff_never_falls_back_to_own_access(patient: Patient, nurse: Staff) -> None:
    """A nurse of the clinic who is its patient too: closing the staff place closes that user altogether."""
    PersonalAccess.objects.create(user=nurse.user, clinic=patient.clinic, patient=patient)
    client = signed_in(nurse.user)
    assert client.get("/me/").status_code == 403
    Staff.objects.filter(pk=nurse.pk).update(is_active=False)
    assert client.get("/me/").status_code == 302


def opens(link: str) -> bool:
    """Whether a link leads to the page where a password is chosen."""
    return "access/invitation.html" in [shown.name for shown in Client().get(link, follow=True).templates]


def test_access_on_the_page(patient: Patient, carer: Caregiver, clinic: Clinic) -> None:
    desk = signed_in(make_staff(clinic, Role.FRONT_DESK).user)
    page = f"/patients/{patient.pk}/access/"
    assert "Their own sign-in" in desk.get(f"/patients/{patient.pk}/details/").content.decode()
    assert desk.get(page).content.decode().count("No sign-in.") == 2
    assert desk.post(f"{page}give/").status_code == 302
    assert desk.post(f"{page}give/", {"caregiver": str(carer.pk)}).status_code == 302
    assert desk.post(f"{page}give/", {"caregiver": "999999"}).status_code == 404
    own = PersonalAccess.objects.get(caregiver=None)
    shown = desk.post(f"{page}{own.pk}/link/")
    link = re.findall(r'<code class="wraps">([^<]+)</code>', shown.content.decode())[0]
    assert shown["Cache-Control"] == "no-store" and opens(link)
    assert link not in desk.get(page).content.decode()
    assert desk.post(f"{page}{own.pk}/withdraw/", follow=True).status_code == 200
    assert "Access was withdrawn" in desk.get(page).content.decode()
    assert not opens(link), "the link of a withdrawn access is worth nothing"
    other = make_patient(clinic)
    assert desk.post(f"/patients/{other.pk}/access/{own.pk}/password/").status_code == 404


def test_what_opened_a_withdrawn_access_stays_void_when_it_is_given_again(patient: Patient, clinic: Clinic) -> None:
    desk, page = signed_in(make_staff(clinic, Role.FRONT_DESK).user), f"/patients/{patient.pk}/access/"
    desk.post(f"{page}give/")
    own = PersonalAccess.objects.get()
    shown = desk.post(f"{page}{own.pk}/link/")
    link = re.findall(r'<code class="wraps">([^<]+)</code>', shown.content.decode())[0]
    theirs = signed_in(own.user)
    assert opens(link) and theirs.get("/me/").status_code == 200
    for _ in range(2):
        assert desk.post(f"{page}{own.pk}/withdraw/").status_code == 302
    assert not Presence.objects.filter(user=own.user).exists()
    told = AuditEntry.objects.filter(action__in=["withdraw_access", "withdraw_invitation", "end_session"])
    assert sorted(told.filter(actor_role=Role.FRONT_DESK).values_list("action", flat=True)) == [
        "end_session",
        "withdraw_access",
        "withdraw_invitation",
    ]
    desk.post(f"{page}give/")
    assert not opens(link) and theirs.get("/me/").status_code == 302


def test_the_first_page_is_their_own(patient: Patient, nurse: Staff, carer: Caregiver) -> None:
    own = signed_in(give_access(patient=patient, by=nurse, at=NOON).user)
    theirs = signed_in(give_access(patient=patient, caregiver=carer, by=nurse, at=NOON).user)
    assert own.get("/")["Location"] == "/me/" and theirs.get("/")["Location"] == "/with/"
    assert own.get("/with/").status_code == 403 and theirs.get("/me/").status_code == 403


def test_the_staff_are_read_in_one_query(nurse: Staff, django_assert_num_queries: object) -> None:
    client = signed_in(nurse.user)
    client.get("/password/")
    with django_assert_num_queries(2):  # type: ignore[operator]  # the session, and the person with place and clinic
        client.get("/password/")
