"""One valid input for every route that accepts POST: what a person of the demo clinic would really send.

``EXAMPLES`` maps the name of a route to a function: demo clinic in, ``Example`` out. The function may add a row it
needs (a patient without a plan); call it inside the transaction that is rolled back afterwards. A route that accepts
POST and has no example fails ``tests/architecture``. ``POSTED_AT`` is the moment at which they are valid: freeze the
clock there (``tests.support.clock.install``) and build the demo for it (``build_demo(at=POSTED_AT, seed=1,
patients=12)``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import resources
from json import dumps, loads
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.urls import reverse

from ketaclinic.consent.data import shipped_texts
from ketaclinic.consent.models import ConsentText, Product
from ketaclinic.continuity.models import Restoration
from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.people.actions import open_emergency
from ketaclinic.people.models import Caregiver, Clinic, Patient, PersonalAccess, Staff, User
from ketaclinic.people.permissions import Role
from ketaclinic.planning.actions import end_plan
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.policy.queries import unsigned_policies
from ketaclinic.screening.actions import (
    record_allergy,
    record_answer,
    record_medication,
    record_problem,
    record_trial,
)
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.actions import record_vitals
from ketaclinic.treatment.models import Session, SessionEvent
from tests.support.people import NOON, make_clinic, make_patient, make_staff
from tests.support.presence import make_presence

POSTED_AT = NOON
NASAL, INFUSION = Product.ESKETAMINE_NASAL.value, Product.KETAMINE_IV.value
SECRET = "a long enough phrase"
PHRASE = "correct horse battery"
"""The password of whom ``make_staff`` makes."""


@dataclass(frozen=True, slots=True)
class Example:
    """What to send: the objects of the address, the fields of the body, who sends it, which answer says it was taken.

    ``by`` is the user who sends it, ``None`` for a stranger. A body with a file in it goes as multipart.
    """

    by: User | None
    data: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, int | str] = field(default_factory=dict)
    status: int = 302


def user_of(clinic: Clinic, role: str) -> User:
    """Return the sign-in of the demo's member of staff with a role."""
    user: User = _staff(clinic, role).user
    return user


def address_of(name: str, example: Example) -> str:
    """Return the address an example is sent to."""
    return reverse(name, kwargs=dict(example.keys) or None)


def send(name: str, example: Example, extra: Mapping[str, Any] | None = None, client: Client | None = None) -> Any:
    """Send an example as its person, with further fields if any; return the answer."""
    browser = client or Client()
    if example.by is not None:
        browser.force_login(example.by)
    return browser.post(address_of(name, example), {**example.data, **(extra or {})})


def _staff(clinic: Clinic, role: str) -> Staff:
    member: Staff = Staff.objects.filter(clinic=clinic, role=role).select_related("user").earliest("pk")
    return member


def _first(model: type[models.Model], clinic: Clinic, **which: Any) -> Any:
    found = model._default_manager.filter(clinic=clinic, **which).order_by("pk").first()
    assert found is not None, f"the demo has no {model.__name__} with {which}"
    return found


def _key() -> str:
    return uuid4().hex


# ---- people --------------------------------------------------------------------------------------------------------

PERSON = {
    "given_name": "Synthetic",
    "family_name": "Newcomer",
    "birth_date": "1980-02-03",
    "sex": "female",
    "phone": "+1 555 0107",
    "email": "newcomer@example.org",
    "language": "en",
}
CARER = {"name": "Synthetic Carer", "relationship": "partner", "phone": "+1 555 0108", "may_escort": "on"}
MEMBER = {"display_name": "Synthetic Member", "role": "nurse"}


def _find(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), {"words": "a", "stage": ""}, status=200)


def _sign_in(clinic: Clinic) -> Example:
    return Example(None, {"username": make_staff(clinic, Role.NURSE).user.username, "password": PHRASE})


def _sign_out(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE))


def _nobody_under_way(clinic: Clinic) -> Example:
    """Steps of a sign-in that nobody has begun lead to its beginning."""
    return Example(None)


def _used_invitation(clinic: Clinic) -> Example:
    """A link that nobody holds opens nothing."""
    return Example(None, status=404)


def _passkey_options(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE), status=200)


def _lock(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE))


def _here(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE), status=204)


def _proof(clinic: Clinic) -> Example:
    return Example(make_staff(clinic, Role.NURSE).user, {"access-password": PHRASE}, status=200)


def _password(clinic: Clinic) -> Example:
    sent = {"access-password": PHRASE, "new_password1": SECRET, "new_password2": SECRET}
    return Example(make_staff(clinic, Role.NURSE).user, sent)


def _factor(clinic: Clinic) -> tuple[User, Authenticator]:
    user = make_staff(clinic, Role.NURSE).user
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    made = [
        Authenticator.objects.create(user=user, type=kind, data={"secret": "x", "name": "Synthetic key"})
        for kind in kinds
    ]
    return user, made[0]


def _add_factor(clinic: Clinic) -> Example:
    return Example(make_staff(clinic, Role.NURSE).user, {"access-password": PHRASE, "code": "000000"}, status=422)


def _remove_factor(clinic: Clinic) -> Example:
    user, factor = _factor(clinic)
    return Example(user, {"access-password": PHRASE}, {"factor_pk": factor.pk})


def _codes(clinic: Clinic) -> Example:
    return Example(_factor(clinic)[0], {"access-password": PHRASE})


def _end_device(clinic: Clinic) -> Example:
    user = make_staff(clinic, Role.NURSE).user
    return Example(user, {}, {"presence_pk": make_presence(user, _key()).pk})


def _end_others(clinic: Clinic) -> Example:
    return replace(_end_device(clinic), keys={})


def _register(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), PERSON)


def _correct_patient(clinic: Clinic) -> Example:
    sent = {**PERSON, "deceased_on": "", "reason": "Misheard at registration."}
    return Example(user_of(clinic, Role.FRONT_DESK), sent, {"patient_pk": _first(Patient, clinic).pk})


def _name_caregiver(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), CARER, {"patient_pk": _first(Patient, clinic).pk})


def _correct_caregiver(clinic: Clinic) -> Example:
    one = _first(Caregiver, clinic)
    keys = {"patient_pk": one.patient_id, "caregiver_pk": one.pk}
    return Example(user_of(clinic, Role.FRONT_DESK), CARER, keys)


def _add_staff(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.ADMINISTRATOR), {**MEMBER, "username": "synthetic.member"}, status=200)


def _change_staff(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.ADMINISTRATOR), MEMBER, {"staff_pk": _staff(clinic, Role.THERAPIST).pk})


def _end_member_sessions(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.ADMINISTRATOR), {}, {"staff_pk": _staff(clinic, Role.THERAPIST).pk})


def _clinic(clinic: Clinic) -> Example:
    sent = {
        "name": "Synthetic Clinic, renamed",
        "address": "1 Test Road",
        "phone": "+1 555 0100",
        "emergency_contact": "On call: +1 555 0100",
        "time_zone": "America/Chicago",
        "jurisdiction": "US-PA",
        "chairs": "8",
        "rems_certified_on": "2025-01-01",
        "rems_certified_until": "2027-01-01",
    }
    return Example(user_of(clinic, Role.ADMINISTRATOR), sent)


def _give_access(clinic: Clinic) -> Example:
    one = Caregiver.objects.filter(clinic=clinic, access__isnull=True).earliest("pk")
    return Example(user_of(clinic, Role.FRONT_DESK), {"caregiver": str(one.pk)}, {"patient_pk": one.patient_id})


def _access(clinic: Clinic) -> PersonalAccess:
    access: PersonalAccess = PersonalAccess.objects.filter(clinic=clinic, caregiver__isnull=True).earliest("pk")
    return access


def _invite_to_care(clinic: Clinic) -> Example:
    one = _access(clinic)
    keys = {"patient_pk": one.patient_id, "access_pk": one.pk}
    return Example(user_of(clinic, Role.FRONT_DESK), {}, keys, status=200)


def _withdraw_from_care(clinic: Clinic) -> Example:
    one = _access(clinic)
    keys = {"patient_pk": one.patient_id, "access_pk": one.pk}
    return Example(user_of(clinic, Role.FRONT_DESK), {}, keys)


WHY = "Found unconscious in the waiting room, nobody of the floor answers."


def _find_patient(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.MANAGER), {"record_number": _first(Patient, clinic).record_number})


def _open_emergency(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), {"reason": WHY}, {"patient_pk": _first(Patient, clinic).pk})


def _opened_emergency(clinic: Clinic) -> dict[str, int]:
    by = _staff(clinic, Role.FRONT_DESK)
    return {"emergency_pk": open_emergency(patient=_first(Patient, clinic), by=by, at=POSTED_AT, reason=WHY).pk}


def _review_emergency(clinic: Clinic) -> Example:
    sent = {"outcome": "justified", "note": "The reason holds, as told."}
    return Example(user_of(clinic, Role.MANAGER), sent, _opened_emergency(clinic))


def _close_emergency(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), {}, _opened_emergency(clinic))


# ---- the house -----------------------------------------------------------------------------------------------------


def _theme(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE), {"theme": "dark", "next": "/"})


def _sign_policy(clinic: Clinic) -> Example:
    sent = {"do": "withdraw", "reason": "The committee asks for another look."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"rule_id": "CON-13-RENEW"})


def _director_of_a_new_clinic() -> User:
    """Return the medical director of a clinic that has signed nothing yet; the demo has signed everything."""
    return make_staff(make_clinic(name="New Synthetic Clinic"), Role.PRESCRIBER, is_medical_director=True).user


def _sign_room(clinic: Clinic) -> Example:
    by = _director_of_a_new_clinic()
    rules = [rule.rule_id for rule in unsigned_policies(by.staff.clinic, POSTED_AT, "consent")]
    return Example(by, {"read": "yes", "rule": rules}, {"room": "consent"})


def _sign_off(clinic: Clinic) -> Example:
    shipped = shipped_texts()[0]
    keys = {"product": shipped.product, "language": shipped.language, "version": shipped.version}
    return Example(_director_of_a_new_clinic(), {"read": "yes"}, keys)


# ---- screening -----------------------------------------------------------------------------------------------------


def _who(clinic: Clinic) -> dict[str, Any]:
    return {"patient": make_patient(clinic), "by": _staff(clinic, Role.NURSE), "at": POSTED_AT}


def _answer(clinic: Clinic) -> Example:
    sent = {"question": "pregnant", "answer": "no"}
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": make_patient(clinic).pk})


def _change_answer(clinic: Clinic) -> Example:
    row = record_answer(question="pregnant", answer="no", **_who(clinic))
    keys = {"patient_pk": row.patient_id, "pk": row.pk}
    return Example(user_of(clinic, Role.NURSE), {"value": "not_known", "reason": "A letter says so."}, keys)


def _add(clinic: Clinic) -> Example:
    sent = {"display": "sertraline", "ingredient": "sertraline", "dose_text": "50 mg", "started_on": "2026-01-01"}
    keys: dict[str, int | str] = {"patient_pk": make_patient(clinic).pk, "what": "medicine"}
    return Example(user_of(clinic, Role.NURSE), sent, keys)


def _stop_medicine(clinic: Clinic) -> Example:
    row = record_medication(display="sertraline", **_who(clinic))
    sent = {"ended_on": "2026-11-20", "reason": "Not tolerated."}
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": row.patient_id, "pk": row.pk})


def _refute(clinic: Clinic) -> Example:
    row = record_problem(display="Migraine", **_who(clinic))
    keys = {"patient_pk": row.patient_id, "pk": row.pk}
    return Example(user_of(clinic, Role.PRESCRIBER), {"reason": "Another person's letter."}, keys)


def _refute_allergy(clinic: Clinic) -> Example:
    row = record_allergy(display="latex", **_who(clinic))
    keys = {"patient_pk": row.patient_id, "pk": row.pk}
    return Example(user_of(clinic, Role.PRESCRIBER), {"reason": "Tested: none."}, keys)


TRIAL = {
    "drug": "sertraline",
    "max_daily_dose_mg": "200",
    "started_on": "2025-01-01",
    "ended_on": "2025-06-01",
    "days_at_dose": "60",
    "outcome": "none",
    "reason_stopped": "lack_of_effect",
    "adherence": "adequate",
    "current_episode": "true",
    "source": "records",
}


def _correct_trial(clinic: Clinic) -> Example:
    row = record_trial(drug="sertraline", source="patient", **_who(clinic))
    keys = {"patient_pk": row.patient_id, "pk": row.pk}
    return Example(user_of(clinic, Role.NURSE), {**TRIAL, "reason": "The letter of the practice."}, keys)


def _decide(clinic: Clinic) -> Example:
    sent = {"product": NASAL, "verdict": "decline", "reason": "Other care is better for now."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"patient_pk": make_patient(clinic).pk})


# ---- consent -------------------------------------------------------------------------------------------------------


def _sign_consent(clinic: Clinic) -> Example:
    patient = make_patient(clinic)
    text = _first(ConsentText, clinic, product=NASAL, language="en")
    said_back = {f"said_back_{q['id']}": "on" for q in text.questions}
    sent = {
        "patient_name": str(patient),
        "capacity_assessed": "on",
        "questions_answered": "on",
        "copy_given": "on",
        "registry_research": "no",
        **said_back,
    }
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": patient.pk, "text_pk": text.pk})


def _withdraw(clinic: Clinic) -> Example:
    patient = _first(Patient, clinic, consentsignatures__isnull=False)
    signed = patient.consentsignatures.latest("pk")
    keys = {"patient_pk": patient.pk, "product": signed.product}
    return Example(user_of(clinic, Role.NURSE), {"said": "I do not want it."}, keys)


# ---- planning ------------------------------------------------------------------------------------------------------


def _plan(clinic: Clinic, product: str = NASAL) -> Plan:
    plan: Plan = Plan.objects.of(clinic).standing_at(POSTED_AT).filter(product=product).earliest("pk")
    return plan


def _booking(clinic: Clinic) -> Booking:
    booking: Booking = (
        Booking.objects.of(clinic).standing().filter(starts_at__gt=POSTED_AT, session__isnull=True).order_by("-pk")[0]
    )
    return booking


def _sign_plan(clinic: Clinic) -> Example:
    plan, by = _plan(clinic), _staff(clinic, Role.PRESCRIBER)
    end_plan(plan=plan, why="completed", reason="The course is over.", by=by, at=POSTED_AT)
    sent = {"protocol": "esketamine-trd-us", "dose": "84", "starts_on": "2026-11-25"}
    return Example(by.user, sent, {"patient_pk": plan.patient_id})


def _try_plan(clinic: Clinic) -> Example:
    return replace(_sign_plan(clinic), status=200)


def _change_plan(clinic: Clinic) -> Example:
    plan = _plan(clinic)
    sent = {"dose": "56", "starts_on": plan.starts_on.isoformat(), "change_reason": "Long sedation."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"plan_pk": plan.pk})


def _end_plan(clinic: Clinic) -> Example:
    sent = {"why": "no_benefit", "reason": "No change after four weeks."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"plan_pk": _plan(clinic).pk})


def _book(clinic: Clinic) -> Example:
    sent = {"starts_at": "16:30", "weeks": "20", "chair": "", "closed_weekdays": ["5", "6"], "closed_on": ""}
    return Example(user_of(clinic, Role.FRONT_DESK), sent, {"plan_pk": _plan(clinic).pk})


def _book_one(clinic: Clinic) -> Example:
    sent = {"day": "2027-06-02", "time": "16:30", "chair": "2", "number": ""}
    return Example(user_of(clinic, Role.FRONT_DESK), sent, {"plan_pk": _plan(clinic).pk})


def _move(clinic: Clinic) -> Example:
    booking = _booking(clinic)
    day = booking.starts_at.astimezone(clinic.zone).date()
    sent = {"day": day.isoformat(), "time": "17:15", "chair": "2", "reason": "Works that afternoon."}
    return Example(user_of(clinic, Role.FRONT_DESK), sent, {"booking_pk": booking.pk})


def _cancel(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.FRONT_DESK), {"reason": "Has a cold."}, {"booking_pk": _booking(clinic).pk})


# ---- treatment and after -------------------------------------------------------------------------------------------


def _session(clinic: Clinic, chair: int = 1) -> Session:
    """Return one that is on the floor now: an early observation on chair 1, high pressure on chair 6."""
    session: Session = Session.objects.of(clinic).filter(chair=chair, at__lte=POSTED_AT).latest("at")
    return session


def _record(clinic: Clinic) -> Example:
    sent = {"kind": "pad", "entry_key": _key(), "systolic": "124", "diastolic": "78", "moaas": "5"}
    return Example(user_of(clinic, Role.NURSE), sent, {"session_pk": _session(clinic).pk})


def _acknowledge(clinic: Clinic) -> Example:
    session, by = _session(clinic, 6), _staff(clinic, Role.NURSE)
    browser = Client()
    browser.force_login(by.user)
    shown = browser.get(reverse("treatment:floor")).content.decode()
    key = shown.split('name="alert" value="')[1].split('"')[0]
    return Example(by.user, {"alert": key, "entry_key": _key()}, {"session_pk": session.pk})


def _measured(clinic: Clinic) -> SessionEvent:
    session, by = _session(clinic), _staff(clinic, Role.NURSE)
    return record_vitals(session=session, by=by, at=POSTED_AT, systolic=126, diastolic=80, heart_rate=70)


def _undo(clinic: Clinic) -> Example:
    event = _measured(clinic)
    return Example(user_of(clinic, Role.NURSE), {"entry_key": _key()}, {"session_pk": event.session_id})


def _amend(clinic: Clinic) -> Example:
    event = _measured(clinic)
    sent = {"reason": "Misread.", "entry_key": _key(), "systolic": "128", "diastolic": "80", "heart_rate": "70"}
    return Example(user_of(clinic, Role.NURSE), sent, {"session_pk": event.session_id, "event_pk": event.pk})


def _begin_amending(clinic: Clinic) -> Example:
    return replace(_amend(clinic), status=200)


def _open(clinic: Clinic) -> Example:
    booking = (
        Booking.objects.of(clinic)
        .standing()
        .filter(starts_at__gt=POSTED_AT, session__isnull=True, plan__product=NASAL)
        .order_by("starts_at")[0]
    )
    sent = {"chair": "7", "entry_key": _key(), "weight_confirmed": "on"}
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": booking.patient_id})


def _enrol(clinic: Clinic) -> Example:
    sent = {"enrolled": "yes", "enrolled_on": "2026-11-20", "note": "By telephone."}
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": _first(Patient, clinic).pk})


def _give(clinic: Clinic) -> Example:
    sent = {"to_escort": "on", "entry_key": _key()}
    return Example(user_of(clinic, Role.NURSE), sent, {"session_pk": _session(clinic, 5).pk})


def _contact(clinic: Clinic) -> Example:
    session = Session.objects.of(clinic).filter(contacts__isnull=False).latest("at")
    sent = {"outcome": "reached", "wellbeing": "well", "note": "Slept well."}
    return Example(user_of(clinic, Role.NURSE), sent, {"session_pk": session.pk})


# ---- follow-up, surveillance, maintenance --------------------------------------------------------------------------

PHQ9 = {f"q{n}": "1" for n in range(1, 9)} | {"q9": "0"}


def _followup_answer(clinic: Clinic) -> Example:
    keys: dict[str, int | str] = {"patient_pk": make_patient(clinic).pk, "instrument": "phq9"}
    return Example(user_of(clinic, Role.NURSE), {**PHQ9, "entry_key": _key()}, keys)


def _followup_correct(clinic: Clinic) -> Example:
    row = _first(ScaleAnswer, clinic, instrument="phq9", amended_by__isnull=True)
    sent = {**PHQ9, "entry_key": _key(), "reason": "Misread the third line."}
    return Example(user_of(clinic, Role.NURSE), sent, {"pk": row.pk})


def _own_answer(clinic: Clinic) -> Example:
    return Example(_access(clinic).user, {**PHQ9, "entry_key": _key()}, {"instrument": "phq9"})


def _alert(clinic: Clinic) -> Example:
    sent = {"do": "close", "outcome": "assessed", "note": "Spoke by telephone; safe today."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"pk": _first(Alert, clinic).pk})


def _screen(clinic: Clinic) -> Example:
    sent = {"kind": "bladder", "result": "nothing_found", "value": "", "note": "", "done_on": "", "entry_key": _key()}
    return Example(user_of(clinic, Role.NURSE), sent, {"patient_pk": _first(Patient, clinic).pk})


def _screen_correct(clinic: Clinic) -> Example:
    row = _first(ScreenResult, clinic, amended_by__isnull=True)
    sent = {"result": "finding", "value": "", "note": "Urgency.", "done_on": "", "reason": "Typed on another line."}
    return Example(user_of(clinic, Role.NURSE), {**sent, "entry_key": _key()}, {"pk": row.pk})


def _proposal(clinic: Clinic) -> Example:
    sent = {"answer": "stop", "next_on": "", "reason": "Well for a year."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"patient_pk": _plan(clinic).patient_id})


def _benefit(clinic: Clinic) -> Example:
    sent = {"benefit-benefit": "unclear", "benefit-reason": "Too early to say."}
    return Example(user_of(clinic, Role.PRESCRIBER), sent, {"patient_pk": _plan(clinic).patient_id})


# ---- interfaces ----------------------------------------------------------------------------------------------------


def _import(clinic: Clinic) -> Example:
    bundle = loads((resources.files("ketaclinic.demo") / "data" / "mateo.fhir.json").read_text(encoding="utf-8"))
    person = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    for identifier in person.get("identifier", ()):
        identifier["value"] += "-of-somebody-new"
    file = SimpleUploadedFile("somebody.fhir.json", dumps(bundle).encode(), "application/fhir+json")
    return Example(user_of(clinic, Role.ADMINISTRATOR), {"file": file})


def _export(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.PRESCRIBER), keys={"patient_pk": _first(Patient, clinic).pk}, status=200)


# ---- going on without the server ------------------------------------------------------------------------------------


def _restoration_seen(clinic: Clinic) -> Example:
    times = dict.fromkeys(("at", "backup_at", "complete_until", "missing_until"), POSTED_AT)
    row = Restoration.objects.create(clinic=clinic, application="1", sha256="0" * 64, **times)
    return Example(user_of(clinic, Role.ADMINISTRATOR), {}, {"restoration_pk": row.pk})


def _find_on_paper(clinic: Clinic) -> Example:
    return Example(user_of(clinic, Role.NURSE), {"record_number": _first(Patient, clinic).record_number})


def _open_from_paper(clinic: Clinic) -> Example:
    opened = _open(clinic)
    sent = {"happened_at": _local(clinic, POSTED_AT), "chair": opened.data["chair"], "reason": "downtime"}
    return replace(opened, data={**sent, "entry_key": _key()})


def _enter_from_paper(clinic: Clinic) -> Example:
    session = _session(clinic)
    sent = {"kind": "vitals", "systolic": "121", "diastolic": "79", "reason": "downtime", "entry_key": _key()}
    sent |= {"happened_at": _local(clinic, POSTED_AT)}
    return Example(user_of(clinic, Role.NURSE), sent, {"session_pk": session.pk})


def _local(clinic: Clinic, at: datetime) -> str:
    return f"{at.astimezone(clinic.zone):%Y-%m-%dT%H:%M}"


EXAMPLES: dict[str, Callable[[Clinic], Example]] = {
    "access:sign_in": _sign_in,
    "access:second": _nobody_under_way,
    "access:set_up": _nobody_under_way,
    "access:invitation": _used_invitation,
    "access:passkey_options": _passkey_options,
    "access:sign_out": _sign_out,
    "access:locked": _lock,
    "access:unlock": _proof,
    "access:confirm": _proof,
    "access:here": _here,
    "access:password": _password,
    "access:add_factor": _add_factor,
    "access:remove_factor": _remove_factor,
    "access:recovery_codes": _codes,
    "access:renew_codes": _codes,
    "access:end_device": _end_device,
    "access:end_other_devices": _end_others,
    "access:add_staff": _add_staff,
    "access:change_staff": _change_staff,
    "access:end_member_sessions": _end_member_sessions,
    "people:register": _register,
    "people:correct_patient": _correct_patient,
    "people:name_caregiver": _name_caregiver,
    "people:correct_caregiver": _correct_caregiver,
    "people:give_access": _give_access,
    "access:invite_to_care": _invite_to_care,
    "access:withdraw_from_care": _withdraw_from_care,
    "people:find_patient": _find_patient,
    "people:open_emergency": _open_emergency,
    "people:emergency": _review_emergency,
    "people:close_emergency": _close_emergency,
    "people:clinic": _clinic,
    "journey:patients": _find,
    "design:theme": _theme,
    "policy:sign": _sign_policy,
    "policy:sign_all": _sign_room,
    "screening:answer": _answer,
    "screening:change_answer": _change_answer,
    "screening:add": _add,
    "screening:stop_medicine": _stop_medicine,
    "screening:refute": _refute,
    "screening:refute_allergy": _refute_allergy,
    "screening:correct_trial": _correct_trial,
    "screening:decide": _decide,
    "consent:sign": _sign_consent,
    "consent:withdraw": _withdraw,
    "consent:sign_off": _sign_off,
    "planning:patient": _try_plan,
    "planning:sign": _sign_plan,
    "planning:change": _change_plan,
    "planning:end": _end_plan,
    "planning:book": _book,
    "planning:book_one": _book_one,
    "planning:booking": _move,
    "planning:cancel": _cancel,
    "treatment:open": _open,
    "treatment:enrol": _enrol,
    "treatment:record": _record,
    "treatment:acknowledge": _acknowledge,
    "treatment:undo": _undo,
    "treatment:amend": _amend,
    "treatment:begin_amending": _begin_amending,
    "aftercare:give": _give,
    "aftercare:contact": _contact,
    "followup:own_answer": _own_answer,
    "followup:answer": _followup_answer,
    "followup:correct": _followup_correct,
    "followup:alert": _alert,
    "surveillance:record": _screen,
    "surveillance:correct": _screen_correct,
    "maintenance:answer": _proposal,
    "maintenance:evaluate": _benefit,
    "continuity:restoration_seen": _restoration_seen,
    "continuity:paper": _find_on_paper,
    "continuity:paper_open": _open_from_paper,
    "continuity:paper_entries": _enter_from_paper,
    "fhir:import": _import,
    "fhir:export_bundle": _export,
}
"""Route name to example, in the order of the rooms."""
