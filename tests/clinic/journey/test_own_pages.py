"""What patients and caregivers see: their own care in plain words, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.audit.models import AuditEntry
from ketaclinic.followup.actions import record_answers
from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.followup.queries import forms_due
from ketaclinic.people.actions import correct_caregiver, give_access, name_caregiver
from ketaclinic.people.models import Caregiver, Patient, PersonalAccess, Staff
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.treatment.models import Session
from tests.clinic.treatment_screens.floor import device, event, make_booking, make_plan, make_session, sign_limits
from tests.support.clock import Clock
from tests.support.people import NOON, make_patient

PHQ9 = {f"q{n}": "1" for n in range(1, 9)} | {"q9": "0"}


@pytest.fixture
def own(patient: Patient, nurse: Staff) -> PersonalAccess:
    return give_access(patient=patient, by=nurse, at=NOON)


@pytest.fixture
def as_patient(own: PersonalAccess) -> Client:
    client = Client()
    client.force_login(own.user)
    return client


@pytest.fixture
def carer(patient: Patient, nurse: Staff) -> Caregiver:
    return name_caregiver(patient=patient, by=nurse, at=NOON, name="Synthetic Carer")


@pytest.fixture
def as_carer(patient: Patient, nurse: Staff, carer: Caregiver) -> Client:
    client = Client()
    client.force_login(give_access(patient=patient, caregiver=carer, by=nurse, at=NOON).user)
    return client


def words(client: Client, path: str) -> str:
    body = client.get(path).content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def scored(patient: Patient, by: Staff, days_ago: int, each: int) -> ScaleAnswer:
    answers: dict[str, int | None] = {f"q{n}": each for n in range(1, 9)} | {"q9": 0}
    at = NOON - timedelta(days=days_ago)
    told = {"instrument": "phq9", "answers": answers, "entry_key": f"k{days_ago}"}
    return record_answers(patient=patient, by=by, at=at, **told).answer  # type: ignore[arg-type]


def treated(patient: Patient, by: Staff, clock: Clock, *, done: bool = False) -> Session:
    """The patient came 90 minutes ago and has had the last device 40 minutes ago; ``done``: has left since."""
    start = clock.at - timedelta(minutes=90)
    session = make_session(patient, by, start)
    event(session, by, start, "arrived")
    for n in range(3):
        device(session, by, start + timedelta(minutes=40 + 5 * n), n + 1)
    if done:
        event(session, by, clock.at - timedelta(minutes=1), "stopped", outcome="left_without_release", reason="x")
    return session


# ---- the patient ---------------------------------------------------------------------------------------------------


def test_a_new_patient_is_asked_how_they_have_been(as_patient: Client, patient: Patient) -> None:
    page = words(as_patient, "/me/")
    assert f"Hello, {patient.given_name}." in page and "Tell us how you have been" in page
    assert "No visit is planned now" in page and "After your first form" in page
    assert "988" not in page or "Whom to call" in page
    assert as_patient.get("/me/sheet.pdf").status_code == 404
    assert AuditEntry.objects.filter(action="read_chart", actor_kind="patient", patient_id=patient.pk).exists()


def test_the_patient_answers_and_it_is_theirs(as_patient: Client, own: PersonalAccess, patient: Patient) -> None:
    page = "/followup/own/phq9/"
    assert as_patient.get(page).status_code == 200
    assert as_patient.post(page, {"q1": "1", "entry_key": "k1"}).status_code == 422
    assert as_patient.post(page, {**PHQ9, "q1": "x", "entry_key": "k1"}).status_code == 409
    assert as_patient.post(page, {**PHQ9, "entry_key": "k1"})["Location"] == "/me/"
    assert as_patient.post(page, {**PHQ9, "entry_key": "k1"})["Location"] == "/me/"
    row = ScaleAnswer.objects.get()
    assert (row.patient, row.told_by, row.recorded_by, row.total) == (patient, own, None, 8)
    assert row.author == own and row.author_name == f"{patient} (patient, own sign-in)"
    assert TimelineEntry.objects.get(patient=patient, stage="followup").told_by == own
    page_now = words(as_patient, "/me/")
    assert "8 points of 27" in page_now and "a little trouble" in page_now and "Thank you" in page_now
    assert as_patient.get("/followup/own/unknown/").status_code == 404


def test_staff_see_who_told_it(as_patient: Client, as_nurse: Client, patient: Patient, nurse: Staff) -> None:
    theirs = scored(patient, nurse, days_ago=7, each=1)
    for page in (f"/followup/form/{theirs.pk}/", f"/patients/{patient.pk}/timeline/", f"/patients/{patient.pk}/"):
        assert "own sign-in" not in as_nurse.get(page).content.decode(), page
    as_patient.post("/followup/own/phq9/", {**PHQ9, "entry_key": "k1"})
    row = ScaleAnswer.objects.latest("pk")
    for page in (f"/followup/form/{row.pk}/", f"/patients/{patient.pk}/timeline/", f"/patients/{patient.pk}/"):
        assert "(patient, own sign-in)" in as_nurse.get(page).content.decode(), page
    entries = AuditEntry.objects.filter(object_type="followup.ScaleAnswer")
    by = {(int(entry.object_id), entry.actor_kind) for entry in entries}
    assert by >= {(theirs.pk, "staff"), (row.pk, "patient")}


def test_an_answer_about_suicide_raises_the_alert_and_says_whom_to_call(
    as_patient: Client, own: PersonalAccess, prescriber: Staff
) -> None:
    sent = {**PHQ9, "q9": "2", "entry_key": "k1"}
    page = unescape(as_patient.post("/followup/own/phq9/", sent, follow=True).content.decode())
    assert "Do not wait for that if you might hurt yourself. Call now." in page
    assert 'call or text: <a href="tel:988">988</a>' in page and 'Emergency: <a href="tel:911">911</a>' in page
    assert own.clinic.emergency_contact in page
    again = as_patient.get("/me/").content.decode()
    assert again.index("You told us about thoughts of hurting yourself") < again.index('href="tel:988"')
    assert again.index('href="tel:988"') < again.index("Your next visit") and again.count('href="tel:988"') == 1
    alert = Alert.objects.get()
    assert (alert.told_by, alert.recorded_by, alert.owner_role) == (own, None, "prescriber")
    assert {kept.told_by for kept in StoredDecision.objects.all()} == {own}
    director = Client()
    director.force_login(prescriber.user)
    assert str(own.patient) in director.get("/").content.decode()


def test_a_patient_answers_for_nobody_else(own: PersonalAccess) -> None:
    answers: dict[str, int | None] = {key: int(value) for key, value in PHQ9.items()}
    with pytest.raises(PermissionDenied, match="somebody else"):
        record_answers(
            patient=make_patient(own.clinic), instrument="phq9", answers=answers, entry_key="k", by=own, at=NOON
        )


def test_a_form_is_due_when_its_days_lie_behind(patient: Patient, nurse: Staff) -> None:
    assert [s.scale_id for s in forms_due(patient, NOON)] == ["phq9"]
    scored(patient, nurse, 13, 1)
    assert forms_due(patient, NOON) == []
    assert [s.scale_id for s in forms_due(patient, NOON + timedelta(days=1))] == ["phq9"]


def test_scores_are_told_in_words_and_drawn(as_patient: Client, patient: Patient, nurse: Staff) -> None:
    for days, each in ((20, 2), (10, 2), (3, 1)):
        scored(patient, nurse, days, each)
    body = as_patient.get("/me/").content.decode()
    assert "8 points fewer than on your first form (16)." in body
    assert "oldest first: 16, 16, 8" in body and body.count('class="g-bar') == 3
    assert "Nothing to do now" in body
    scored(patient, nurse, 2, 2)
    assert "The same as on your first form (16)." in words(as_patient, "/me/")


def test_the_next_visit_in_words(as_patient: Client, patient: Patient, nurse: Staff) -> None:
    scored(patient, nurse, 3, 1)
    plan = make_plan(patient, nurse, NOON)
    make_booking(plan, nurse, NOON + timedelta(days=1, hours=2), 1)
    page = words(as_patient, "/me/")
    assert "Tomorrow, 24 November 14:00" in page and "You can go home at about 16:30" in page
    make_booking(plan, nurse, NOON + timedelta(hours=2), 1)
    page = words(as_patient, "/me/")
    assert "Come to the clinic today at 14:00" in page and "Today, 23 November" in page


def test_during_and_after_a_session(as_patient: Client, patient: Patient, prescriber: Staff, clock: Clock) -> None:
    sign_limits(prescriber, clock.at)
    session = treated(patient, prescriber, clock)
    page = words(as_patient, "/me/")
    assert "You are at the clinic" in page and "After your last session" not in page
    event(session, prescriber, clock.at, "stopped", outcome="left_without_release", reason="x")
    page = words(as_patient, "/me/")
    assert "Rest today. Do not drive." in page and "Get emergency help at once" in page
    sheet = as_patient.get("/me/sheet.pdf")
    assert sheet.content.startswith(b"%PDF") and sheet["Cache-Control"] == "no-store"
    clock.pass_days(3)
    assert "Rest today" not in words(as_patient, "/me/")


# ---- the caregiver -------------------------------------------------------------------------------------------------


def test_a_caregiver_follows_the_session_without_a_word_of_the_chart(
    as_carer: Client, patient: Patient, prescriber: Staff, clock: Clock
) -> None:
    sign_limits(prescriber, clock.at)
    scored(patient, prescriber, 3, 2)
    name = patient.given_name
    assert f"{name} is not at the clinic now." in words(as_carer, "/with/")
    start = clock.at
    session = make_session(patient, prescriber, start)
    assert f"{name} is expected at the clinic." in words(as_carer, "/with/")
    event(session, prescriber, start, "arrived")
    assert f"{name} has arrived." in words(as_carer, "/with/")
    clock.pass_minutes(20)
    device(session, prescriber, clock.at, 1)
    page = words(as_carer, "/with/")
    assert f"{name} is being treated." in page and "Today and tonight" in page
    for number in (2, 3):
        clock.pass_minutes(5)
        device(session, prescriber, clock.at, number)
    page = words(as_carer, "/with/")
    assert f"{name} is resting." in page and f"Come to pick {name} up 14:25" in page and "from 14:35" in page
    for hidden in (patient.family_name, patient.record_number, "16", "PHQ", "mg", "ketamine", "depress", "1984"):
        assert hidden not in page, hidden
    clock.pass_minutes(130)
    assert f"{name} can leave soon." in words(as_carer, "/with/")
    event(session, prescriber, clock.at, "discharged", escort="Synthetic Carer")
    page = words(as_carer, "/with/")
    assert f"{name} has left the clinic." in page and "Come to pick" not in page and "Get emergency help" in page
    clock.pass_days(2)
    assert "Today and tonight" not in words(as_carer, "/with/")


def test_whoever_does_not_take_them_home_follows_nothing(
    as_carer: Client, patient: Patient, nurse: Staff, prescriber: Staff, carer: Caregiver, clock: Clock
) -> None:
    sign_limits(prescriber, clock.at)
    session = treated(patient, nurse, clock)
    assert "is resting." in words(as_carer, "/with/")
    event(session, nurse, clock.at, "escort", name="Somebody Else", here=False)
    page = words(as_carer, "/with/")
    assert "This visit is not shown to you." in page and "resting" not in page and "tonight" not in page
    clock.pass_minutes(1)
    event(session, nurse, clock.at, "escort", name=" synthetic carer", here=True)
    assert "is resting." in words(as_carer, "/with/")
    correct_caregiver(caregiver=carer, by=nurse, at=clock.at, may_escort=False)
    assert "This visit is not shown to you." in words(as_carer, "/with/")


def test_when_to_come_before_the_medicine_is_the_end_of_the_booking(
    as_carer: Client, patient: Patient, nurse: Staff, clock: Clock
) -> None:
    make_session(patient, nurse, clock.at)
    assert f"Where {patient.given_name} is" in words(as_carer, "/with/")
    plan = make_plan(patient, nurse, NOON)
    booking = make_booking(plan, nurse, NOON, 2)
    clock.pass_minutes(1)
    later = Session(**_session(patient, nurse, clock, plan_id=plan.pk, booking=booking))
    later.save()
    assert f"Come to pick {patient.given_name} up 14:30" in words(as_carer, "/with/")


def _session(patient: Patient, by: Staff, clock: Clock, **fields: object) -> dict[str, object]:
    row = {"clinic": patient.clinic, "patient": patient, "at": clock.at, "recorded_at": clock.at, "recorded_by": by}
    return {**row, "product": "esketamine-nasal", "chair": 2, "entry_key": "with-booking", **fields}


# ---- plain words ---------------------------------------------------------------------------------------------------


def _syllables(word: str) -> int:
    return max(len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e"))), 1)


def _grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text: 6 to 7 is what somebody of twelve reads."""
    sentences = [s for s in re.split(r"[.!?:]", text) if re.search(r"[a-z]", s)]
    found = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(found) / len(sentences) + 11.8 * sum(map(_syllables, found)) / len(found) - 15.59


def test_the_words_are_those_of_twelve_years(
    as_patient: Client, as_carer: Client, patient: Patient, prescriber: Staff, clock: Clock
) -> None:
    sign_limits(prescriber, clock.at)
    scored(patient, prescriber, 20, 2)
    for done in (False, True):
        if done:
            treated(patient, prescriber, clock, done=True)
        assert _grade(words(as_patient, "/me/")) <= 7
        assert _grade(words(as_carer, "/with/")) <= 7
    assert _grade("The multidisciplinary evaluation necessitates comprehensive documentation of comorbidities.") > 12
