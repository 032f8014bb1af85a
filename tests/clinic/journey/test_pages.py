"""The pages of the journey over a whole demo clinic: who sees what, how many reads it takes, what stays unseen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ketaclinic.audit.models import AuditEntry
from ketaclinic.journey import queries
from ketaclinic.journey.facts import facts_of
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.models import TimelineEntry
from ketacore.journey import where
from tests.support.clock import Clock
from tests.support.demo import demo_clinic
from tests.support.people import make_clinic, make_patient, make_staff

NO_WORDS = re.compile(r"<head>.*?</head>|Ketaclinic|\b\w{32,}\b", re.DOTALL)
"""The frame of the page, our own name, and drawn tokens, in which any letters may stand."""
CLINICAL = re.compile(r"esketamine|ketamine|PHQ|\bGAD|depress|suicid|\bmg\b|MOAA|mmHg|diagnos", re.IGNORECASE)
ROLES = [role for role in Role if role is not Role.NURSE]
SignIn = Callable[[Role], Client]


@pytest.fixture
def demo(db: None, clock: Clock) -> Clinic:
    return demo_clinic(at=clock.at, seed=7, patients=30)


@pytest.fixture
def as_role(demo: Clinic) -> SignIn:
    def sign_in(role: Role) -> Client:
        client = Client()
        client.force_login(Staff.objects.get(clinic=demo, role=role).user)
        return client

    return sign_in


def longest_history() -> Patient:
    return max(Patient.objects.all(), key=lambda p: TimelineEntry.objects.filter(patient=p).count())


def test_every_role_has_a_first_page_in_thirteen_reads(as_role: SignIn, django_assert_max_num_queries: Any) -> None:
    for role in ROLES:
        client = as_role(role)
        with django_assert_max_num_queries(13):
            reply = client.get("/")
        assert reply.status_code == 200, role
        assert "<h1>" in reply.content.decode()
    assert as_role(Role.NURSE).get("/")["Location"] == "/treatment/floor/"


def test_the_front_desk_reads_nothing_clinical(as_role: SignIn) -> None:
    desk = as_role(Role.FRONT_DESK)
    for address in ("/", "/patients/"):
        text = NO_WORDS.sub("", desk.get(address).content.decode())
        assert CLINICAL.search(text) is None, address


def test_a_day_to_come_does_not_lead_to_the_floor_of_today(as_role: SignIn) -> None:
    (load,) = as_role(Role.MANAGER).get("/").context["page"].lists
    assert {line.title: line.url for line in load.lines if line.url} in ({}, {"Today": "/treatment/floor/"})
    assert len([line for line in load.lines if not line.url]) > 0
    assert 'href=""' not in as_role(Role.MANAGER).get("/").content.decode()


def test_the_researcher_sees_nobody(as_role: SignIn) -> None:
    researcher = as_role(Role.RESEARCHER)
    page = researcher.get("/").content.decode()
    everybody = Patient.objects.all()
    assert not any(str(p) in page for p in everybody)
    assert researcher.get("/patients/").status_code == 403
    assert researcher.get(f"/patients/{everybody[0].pk}/").status_code == 403


def test_the_list_finds_and_pages_in_few_reads(as_role: SignIn, django_assert_max_num_queries: Any) -> None:
    client = as_role(Role.PRESCRIBER)
    someone = Patient.objects.all()[5]
    with django_assert_max_num_queries(13):
        client.get("/patients/")
    assert someone.record_number in client.post("/patients/", {"words": someone.record_number}).content.decode()
    assert "Nobody found" in client.post("/patients/", {"words": "Zzyzx"}).content.decode()
    part = client.post("/patients/", {"words": someone.family_name}, headers={"HX-Request": "true"}).content.decode()
    assert someone.record_number in part and "<title>" not in part and "shown" in part
    ignored = client.get("/patients/", {"words": "Zzyzx"}).content.decode()
    assert "Nobody found" not in ignored, "an address is kept in places: no name is taken from it"
    for query in ({"stage": "nonsense", "after": "x"}, {"after": someone.pk}, {"before": someone.pk}):
        assert client.get("/patients/", query).status_code == 200


def test_a_stage_filter_shows_exactly_the_people_at_that_stage(demo: Clinic, clock: Clock) -> None:
    at = clock.at
    setting = setting_of(demo, at)
    counts = queries.stage_counts(demo, setting, at)
    assert sum(counts.values()) == Patient.objects.count()
    assert len(counts) >= 5
    for stage, count in counts.items():
        page = queries.patient_page(demo, setting, at, stage=stage)
        assert len(page.ways) == count
        for way in page.ways:
            standing = where(facts_of(way, demo, setting), setting)
            assert stage in (standing.stage.value, standing.outcome.value if standing.outcome else "")


@pytest.mark.parametrize(("title", "waiting"), [("Candidates to decide", "to-decide"), ("Plans to sign", "to-plan")])
def test_what_waits_beyond_the_first_page_is_the_same_list(
    as_role: SignIn, demo: Clinic, clock: Clock, title: str, waiting: str
) -> None:
    lists = as_role(Role.PRESCRIBER).get("/").context["page"].lists
    first = next(one for one in lists if one.title == title)
    found = as_role(Role.PRESCRIBER).get(first.all_url).context["page"].ways
    assert first.all_url.endswith(f"?stage={waiting}") and first.count == len(found) > 0
    assert {way.patient for way in found} == set(queries.WAITING[waiting](demo, clock.at))


def test_every_chart_opens_and_is_audited(as_role: SignIn, django_assert_max_num_queries: Any) -> None:
    client = as_role(Role.PRESCRIBER)
    for patient in Patient.objects.all():
        reply = client.get(f"/patients/{patient.pk}/")
        assert reply.status_code == 200
        assert "you are here" in reply.content.decode() or "The way is closed" in reply.content.decode()
    assert AuditEntry.objects.filter(action="read_chart").count() == Patient.objects.count()
    address = f"/patients/{longest_history().pk}/"
    with django_assert_max_num_queries(13):
        client.get(address)


def test_the_timeline_pages_backwards_and_filters(as_role: SignIn) -> None:
    client = as_role(Role.PRESCRIBER)
    address = f"/patients/{longest_history().pk}/timeline/"
    page = client.get(address).context["page"]
    assert page.after is not None
    older = client.get(address, {"after": page.after}).context["page"]
    assert not {line.pk for line in page.lines} & {line.pk for line in older.lines}
    only = client.get(address, {"stage": "treatment"}).context["page"]
    assert {line.stage for line in only.lines} == {"treatment"}


@pytest.mark.parametrize("tail", ["", "timeline/"])
def test_a_patient_of_another_clinic_is_not_found(as_prescriber: Client, tail: str) -> None:
    foreign = make_patient(make_clinic(name="Elsewhere"))
    assert as_prescriber.get(f"/patients/{foreign.pk}/{tail}").status_code == 404


def test_a_fresh_patient_has_an_honest_chart(as_prescriber: Client, patient: Patient) -> None:
    text = as_prescriber.get(f"/patients/{patient.pk}/").content.decode()
    assert "Allergies: not asked" in text
    assert "That is not the same as none: ask." in text
    assert "Begin the screening" in text


def test_an_empty_clinic_teaches_the_next_step(clinic: Clinic) -> None:
    for role in ROLES:
        client = Client()
        client.force_login(make_staff(clinic, role).user)
        assert client.get("/").status_code == 200
    client = Client()
    client.force_login(make_staff(clinic, Role.PRESCRIBER).user)
    assert "No patients yet" in client.get("/patients/").content.decode()


def test_administration_lists_what_is_unsettled(clinic: Clinic, clock: Clock) -> None:
    yesterday = clinic.day_of(clock.at) - timedelta(days=1)
    Clinic.objects.filter(pk=clinic.pk).update(emergency_contact="", rems_certified_until=yesterday)
    client = Client()
    client.force_login(make_staff(clinic, Role.ADMINISTRATOR).user)
    text = client.get("/").content.decode()
    for line in ("No emergency contact", "REMS certification is not current", "No medical director", "expired"):
        assert line in text


def test_the_open_candidate_is_assessed_beside_the_list(as_role: SignIn) -> None:
    client = as_role(Role.PRESCRIBER)
    page = client.get("/").context["page"]
    assert page.opened is not None
    beside = client.get(page.opened.findings_url).content.decode()
    assert "could not be checked" in beside and "as of now" in beside
    waiting = next(one for one in page.lists if one.title == "Candidates to decide")
    assert client.get(waiting.all_url).status_code == 200


def test_findings_of_another_clinic_are_not_found(as_prescriber: Client) -> None:
    foreign = make_patient(make_clinic(name="Elsewhere"))
    assert as_prescriber.get(f"/patients/{foreign.pk}/findings/").status_code == 404
