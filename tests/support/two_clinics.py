"""Two demo clinics side by side, built once for a module: everybody in each carries a mark that no other text holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.db import models, transaction
from django.test import Client
from pypdf import PdfReader

from ketaclinic.continuity.models import Restoration
from ketaclinic.demo import clinic as demo_clinic
from ketaclinic.demo.build import build_demo
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.interfaces.fhir.report import ImportReport
from ketaclinic.people.actions import open_emergency
from ketaclinic.people.models import Caregiver, Clinic, Patient, PersonalAccess, Staff, User
from ketaclinic.people.permissions import Role
from ketaclinic.screening.models import Allergy, Medication, Problem
from ketaclinic.treatment.models import Session, SessionEvent
from tests.support.clock import install
from tests.support.inputs import WHY
from tests.support.matrix import WORDS, named
from tests.support.people import NOON
from tests.support.routes import keys_of


@dataclass(frozen=True)
class Mark:
    """What tells the people of one clinic: parts of name, record number, birth date and telephone."""

    name: str
    number: int
    born: int
    phone: str

    @property
    def people(self) -> re.Pattern[str]:
        """Match anything that identifies somebody of this clinic."""
        parts = [self.name, f"K-{str(self.number)[:3]}", f"{self.born}-0", rf"\b[A-Z][a-z]{{2}} {self.born}\b"]
        return re.compile("|".join([*parts, re.escape(self.phone)]))

    @property
    def patients(self) -> re.Pattern[str]:
        """Match the same, but neither the staff, who sign what they put in force, nor the clinic itself."""
        return re.compile(self.people.pattern.replace(self.name, f"{self.name}(?!staff|clinic)", 1))

    def others(self, patient: Patient) -> re.Pattern[str]:
        """Match anything that identifies a patient of this clinic other than this one."""
        own = "|".join(re.escape(n.removeprefix(self.name)) for n in (patient.family_name, patient.given_name))
        number = re.escape(patient.record_number.removeprefix(f"K-{str(self.number)[:3]}"))
        return re.compile(rf"{self.name}(?!(?:{own})\b)\w*|K-{str(self.number)[:3]}(?!{number}\b)\d+")


MINE = Mark("Aahere", 81_100, 1935, "+1 888 77")
THEIRS = Mark("Zzelsewhere", 97_700, 1931, "+1 999 66")


@dataclass(frozen=True)
class Home:
    """One of the two clinics."""

    clinic: Clinic
    mark: Mark
    ward: Patient
    """Whose chart was opened in an emergency, and whom the caregiver looks after: on chair 1 now."""
    own: Patient
    """Who has a sign-in of their own."""

    def user(self, role: str) -> User:
        """Return the sign-in of a role; ``emergency ROLE`` is one that opened the chart of ``ward``."""
        if role in ("patient", "caregiver"):
            access = PersonalAccess.objects.filter(clinic=self.clinic, caregiver__isnull=role == "patient")
            return access.select_related("user").earliest("pk").user
        display = role.removeprefix("emergency ")
        staff = Staff.objects.filter(clinic=self.clinic, role=display).select_related("user")
        return (staff.latest("pk") if role.startswith("emergency ") else staff.earliest("pk")).user

    def row(self, model: type[models.Model], **which: Any) -> Any:
        """Return a row of this clinic that still stands; ``which`` narrows it down."""
        rows = model._default_manager.filter(clinic=self.clinic, **which)
        rows = rows.filter(amended_by__isnull=True) if hasattr(model, "amended_by") else rows
        if model in (Medication, Problem, Allergy):
            rows = rows.filter(status="active")
        if model is SessionEvent:
            rows = rows.filter(voided=False, session__in=Session.objects.filter(clinic=self.clinic))
        return rows.order_by("-pk").first()

    def keys(self, route: str, patient: Patient | None = None) -> dict[str, Any] | None:
        """Return what a route's converters take, all of one patient; ``None`` if this patient has no such row."""
        rows: dict[str, Any] = {}
        for key in reversed(keys_of(route)):
            model = named(route, key)
            if model is None:
                rows[key] = WORDS[key]
                continue
            if model is Patient:
                narrow = next((row for row in rows.values() if hasattr(row, "patient_id")), None)
                rows[key] = patient or (narrow.patient if narrow is not None else self.row(Patient))
                continue
            if key == "session_pk" and "event_pk" in rows:
                rows[key] = rows["event_pk"].session
                continue
            narrow_to = {"patient": patient} if patient is not None and "patient" in _fields(model) else {}
            rows[key] = self.row(model, **narrow_to)
            if rows[key] is None:
                return None
        return {key: getattr(row, "pk", row) for key, row in rows.items()}


def _fields(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields()}


def found(mark: Mark, seed: int, patch: pytest.MonkeyPatch) -> Home:
    """Build a demo clinic whose people carry the mark, with every kind of row there is."""
    family = [f"{mark.name}{n}x" for n in range(5_000)]
    given = [f"{mark.name}given{n}" for n in range(50)]
    staff = {role.value: f"{mark.name}staff {role.label}" for role in Role}
    names = {**demo_clinic.NAMES, "family": family, "female": given, "male": given, "staff": staff}
    for module in (demo_clinic, __import__("ketaclinic.demo.lives", fromlist=["NAMES"])):
        patch.setattr(module, "NAMES", names)
    build_demo(at=NOON, seed=seed, patients=12)
    clinic: Clinic = Clinic.objects.latest("pk")
    _mark_people(clinic, mark)
    own, ward = (
        PersonalAccess.objects.filter(clinic=clinic, caregiver__isnull=nobody).latest("pk").patient
        for nobody in (True, False)
    )
    times = dict.fromkeys(("at", "backup_at", "complete_until", "missing_until"), NOON)
    Restoration.objects.create(clinic=clinic, application="1", sha256="0" * 64, **times)
    _add_the_rest(clinic, own)
    _add_the_rest(clinic, ward)
    for role in (Role.FRONT_DESK, Role.MANAGER, Role.ADMINISTRATOR):
        user = User.objects.create(username=f"{mark.name}-{role}")
        by = Staff.objects.create(user=user, clinic=clinic, role=role, display_name=f"{mark.name}staff in emergency")
        open_emergency(patient=ward, by=by, at=NOON, reason=WHY)
    return Home(clinic, mark, ward, own)


def make_room_for_another() -> None:
    """Rename the sign-ins there are: a second demo takes the same user names."""
    User.objects.update(username=models.functions.Concat(models.Value("before-"), models.F("username")))


def _mark_people(clinic: Clinic, mark: Mark) -> None:
    clinic.name = f"{mark.name}clinic"
    clinic.save()
    for n, patient in enumerate(Patient.objects.filter(clinic=clinic).order_by("pk")):
        fields = {
            "record_number": f"K-{mark.number + n}",
            "birth_date": date(mark.born, 1, 1) + timedelta(days=11 * n),
            "phone": f"{mark.phone}{n:02d}",
        }
        if not patient.family_name.startswith(mark.name):  # brought in from a file
            fields |= {"family_name": f"{mark.name}{9_000 + n}x", "given_name": f"{mark.name}given"}
        Patient.objects.filter(pk=patient.pk).update(**fields)
    for n, caregiver in enumerate(Caregiver.objects.filter(clinic=clinic).order_by("pk")):
        Caregiver.objects.filter(pk=caregiver.pk).update(phone=f"{mark.phone}{50 + n}")


def _add_the_rest(clinic: Clinic, patient: Patient) -> None:
    """Write what the demo has no example of, about one patient."""
    by = Staff.objects.get(clinic=clinic, role=Role.PRESCRIBER)
    row = {"clinic": clinic, "patient": patient, "at": NOON, "recorded_at": NOON, "recorded_by": by}
    coded = {**row, "code_system": "synthetic", "code": "x", "display": "Synthetic", "status": "active"}
    Problem.objects.create(**coded)
    Medication.objects.create(**coded, ingredient="synthetic")
    Allergy.objects.create(**coded)
    FhirImport.objects.create(
        clinic=clinic,
        by=by,
        at=NOON,
        progress_at=NOON,
        file_name="x.json",
        state="done",
        patient=patient,
        report=ImportReport(patient.pk, patient.record_number, False, 1).as_json(),
    )


@contextmanager
def held(blocker: Any) -> Iterator[pytest.MonkeyPatch]:
    """Keep what is built inside for a whole module, in one transaction that is taken back in the end."""
    patch = pytest.MonkeyPatch()
    with blocker.unblock(), transaction.atomic():
        install(patch, NOON)
        cache.clear()
        try:
            yield patch
        finally:
            patch.undo()
            cache.clear()
            transaction.set_rollback(True)


@contextmanager
def taken_back() -> Iterator[None]:
    """Take back whatever is written inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def browser_of(home: Home, actor: str | None) -> Client:
    """Return the browser of a role of a clinic, signed in; of nobody for ``None``."""
    browser = Client(raise_request_exception=False)
    if actor is not None:
        browser.force_login(home.user(actor))
    return browser


def all_text(answer: Any) -> str:
    """Return everything an answer says: body, text of a PDF, headers, cookies, where it sends."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    body = content.decode(errors="replace")
    if content.startswith(b"%PDF"):
        body = "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    return "\n".join([body, *(f"{k}: {v}" for k, v in answer.items()), answer.cookies.output()])
