"""Who may do what, where: written down once more by hand, so that a door opened by mistake is a difference.

``WHO`` says which roles hold a permission, ``DOORS`` which permission and methods each route has. Nothing here is
read from the code under test. A new route needs a line in ``DOORS``, a new permission one in ``WHO``, a new converter
one in ``OBJECTS`` or ``WORDS``.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from ketaclinic.consent.models import ConsentSignature, ConsentText
from ketaclinic.continuity.models import Restoration
from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.people.models import Caregiver, EmergencyAccess, Patient, PersonalAccess, Staff
from ketaclinic.people.permissions import Permission as P
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.screening.models import Allergy, AntidepressantTrial, HistoryAnswer, Medication, Problem
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import Session, SessionEvent

STAFF = ("prescriber", "nurse", "therapist", "front_desk", "manager", "researcher", "administrator")
OWN = ("patient", "caregiver")
EMERGENCY = ("front_desk", "manager", "administrator")
"""Who may open a chart in an emergency: they meet patients or answer for them, and see no chart otherwise."""

WHO: dict[P, tuple[str, ...]] = {
    P.SEE_HOME: (*STAFF, *OWN),
    P.SEE_FLOOR: ("prescriber", "nurse", "manager"),
    P.SEE_PATIENTS: ("prescriber", "nurse", "therapist", "front_desk", "administrator"),
    P.SEE_CHART: ("prescriber", "nurse", "therapist"),
    P.SEE_RULES: ("prescriber", "nurse", "therapist", "manager", "researcher", "administrator"),
    P.SEE_REGISTRY: ("researcher",),
    P.SEE_TODAY: ("prescriber", "nurse", "front_desk", "manager"),
    P.SEE_OPERATIONS: ("manager",),
    P.REGISTER_PATIENT: ("prescriber", "nurse", "front_desk"),
    P.IMPORT_RECORD: ("prescriber", "nurse", "administrator"),
    P.EXPORT_RECORD: ("prescriber",),
    P.RECORD_HISTORY: ("prescriber", "nurse"),
    P.DECIDE_CANDIDACY: ("prescriber",),
    P.OVERRIDE_STOP: ("prescriber",),
    P.TAKE_CONSENT: ("prescriber", "nurse"),
    P.SIGN_PLAN: ("prescriber",),
    P.BOOK_SESSION: ("prescriber", "nurse", "front_desk"),
    P.RUN_SESSION: ("prescriber", "nurse"),
    P.SIGN_RELEASE: ("prescriber",),
    P.GIVE_AFTERCARE: ("prescriber", "nurse"),
    P.RECORD_SCORE: ("prescriber", "nurse", "therapist"),
    P.OWN_ALERT: ("prescriber", "nurse", "therapist"),
    P.RECORD_SCREEN: ("prescriber", "nurse"),
    P.ANSWER_PROPOSAL: ("prescriber",),
    P.CONFIRM_RIDE: ("prescriber", "nurse", "front_desk"),
    P.SIGN_POLICY: ("prescriber",),
    P.MANAGE_STAFF: ("administrator",),
    P.SEE_DOWNTIME: ("prescriber", "nurse", "therapist", "front_desk", "manager", "administrator"),
    P.READ_AUDIT: ("administrator",),
    P.GIVE_OWN_ACCESS: ("prescriber", "nurse", "front_desk", "administrator"),
    P.SEE_EMERGENCIES: ("prescriber", "front_desk", "manager", "administrator"),
    P.OPEN_EMERGENCY: EMERGENCY,
    P.REVIEW_EMERGENCY: ("prescriber", "manager"),
    P.SEE_OWN_CARE: ("patient",),
    P.ANSWER_OWN_FORM: ("patient",),
    P.SEE_WARD: ("caregiver",),
}


@dataclass(frozen=True, slots=True)
class Door:
    """A route: the permission it asks for (``None``: anybody), and the methods it answers to."""

    permission: P | None
    methods: tuple[str, ...]


READ, PAGE, WRITE = ("GET", "HEAD"), ("GET",), ("POST",)
FORM, FORM_ = ("GET", "HEAD", "POST"), ("GET", "POST")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

DOORS: dict[str, Door] = {
    "journey:home": Door(P.SEE_HOME, READ),
    "journey:own": Door(P.SEE_OWN_CARE, READ),
    "journey:own_sheet": Door(P.SEE_OWN_CARE, READ),
    "journey:ward": Door(P.SEE_WARD, READ),
    "journey:patients": Door(P.SEE_PATIENTS, FORM),
    "journey:duties": Door(P.MANAGE_STAFF, READ),
    "journey:chart": Door(P.SEE_CHART, READ),
    "journey:findings": Door(P.SEE_CHART, READ),
    "journey:timeline": Door(P.SEE_CHART, READ),
    "access:sign_in": Door(None, FORM),
    "access:second": Door(None, FORM),
    "access:set_up": Door(None, FORM),
    "access:passkey_options": Door(None, WRITE),
    "access:invitation": Door(None, FORM),
    "access:use_link": Door(None, READ),
    "access:sign_out": Door(None, WRITE),
    "access:locked": Door(None, FORM),
    "access:unlock": Door(None, WRITE),
    "access:confirm": Door(None, WRITE),
    "access:here": Door(None, WRITE),
    "access:state": Door(None, PAGE),
    "access:account": Door(P.SEE_HOME, PAGE),
    "access:password": Door(P.SEE_HOME, FORM),
    "access:add_factor": Door(P.SEE_HOME, FORM),
    "access:remove_factor": Door(P.SEE_HOME, WRITE),
    "access:recovery_codes": Door(P.SEE_HOME, FORM),
    "access:renew_codes": Door(P.SEE_HOME, WRITE),
    "access:end_other_devices": Door(P.SEE_HOME, WRITE),
    "access:end_device": Door(P.SEE_HOME, WRITE),
    "access:staff": Door(P.MANAGE_STAFF, PAGE),
    "access:add_staff": Door(P.MANAGE_STAFF, FORM),
    "access:change_staff": Door(P.MANAGE_STAFF, FORM),
    "access:end_member_sessions": Door(P.MANAGE_STAFF, WRITE),
    "people:register": Door(P.REGISTER_PATIENT, FORM),
    "people:patient": Door(P.SEE_PATIENTS, READ),
    "people:correct_patient": Door(P.REGISTER_PATIENT, FORM),
    "people:name_caregiver": Door(P.CONFIRM_RIDE, FORM),
    "people:correct_caregiver": Door(P.CONFIRM_RIDE, FORM),
    "people:access": Door(P.GIVE_OWN_ACCESS, READ),
    "people:give_access": Door(P.GIVE_OWN_ACCESS, WRITE),
    "access:invite_to_care": Door(P.GIVE_OWN_ACCESS, WRITE),
    "access:withdraw_from_care": Door(P.GIVE_OWN_ACCESS, WRITE),
    "people:open_emergency": Door(P.OPEN_EMERGENCY, FORM),
    "people:emergencies": Door(P.SEE_EMERGENCIES, READ),
    "people:find_patient": Door(P.OPEN_EMERGENCY, WRITE),
    "people:emergency": Door(P.REVIEW_EMERGENCY, FORM),
    "people:close_emergency": Door(P.SEE_EMERGENCIES, WRITE),
    "people:clinic": Door(P.MANAGE_STAFF, FORM),
    "design:components": Door(None, READ),
    "design:security": Door(None, READ),
    "design:security_txt": Door(None, READ),
    "pkpd:how": Door(None, READ),
    "design:theme": Door(None, WRITE),
    "policy:rules": Door(P.SEE_RULES, PAGE),
    "policy:rule": Door(P.SEE_RULES, PAGE),
    "policy:sign": Door(P.SIGN_POLICY, WRITE),
    "policy:sign_all": Door(P.SIGN_POLICY, WRITE),
    "screening:patient": Door(P.SEE_CHART, PAGE),
    "screening:answer": Door(P.RECORD_HISTORY, WRITE),
    "screening:change_answer": Door(P.RECORD_HISTORY, FORM_),
    "screening:add": Door(P.RECORD_HISTORY, FORM_),
    "screening:stop_medicine": Door(P.RECORD_HISTORY, FORM_),
    "screening:refute": Door(P.DECIDE_CANDIDACY, FORM_),
    "screening:refute_allergy": Door(P.DECIDE_CANDIDACY, FORM_),
    "screening:correct_trial": Door(P.RECORD_HISTORY, FORM_),
    "screening:decide": Door(P.DECIDE_CANDIDACY, WRITE),
    "consent:patient": Door(P.SEE_CHART, PAGE),
    "consent:sign": Door(P.TAKE_CONSENT, WRITE),
    "consent:withdraw": Door(P.TAKE_CONSENT, WRITE),
    "consent:signature": Door(P.SEE_CHART, PAGE),
    "consent:texts": Door(P.SEE_RULES, PAGE),
    "consent:text": Door(P.SEE_RULES, PAGE),
    "consent:sign_off": Door(P.SIGN_POLICY, WRITE),
    "planning:patient": Door(P.SEE_PATIENTS, FORM),
    "planning:sign": Door(P.SIGN_PLAN, WRITE),
    "planning:change": Door(P.SIGN_PLAN, WRITE),
    "planning:end": Door(P.SIGN_PLAN, WRITE),
    "planning:book": Door(P.BOOK_SESSION, WRITE),
    "planning:book_one": Door(P.BOOK_SESSION, FORM_),
    "planning:booking": Door(P.BOOK_SESSION, FORM_),
    "planning:cancel": Door(P.BOOK_SESSION, WRITE),
    "treatment:floor": Door(P.SEE_FLOOR, PAGE),
    "treatment:floor_live": Door(P.SEE_FLOOR, PAGE),
    "treatment:wall": Door(P.SEE_FLOOR, PAGE),
    "treatment:wall_live": Door(P.SEE_FLOOR, PAGE),
    "treatment:open": Door(P.RUN_SESSION, FORM_),
    "treatment:enrol": Door(P.RUN_SESSION, WRITE),
    "treatment:session": Door(P.RUN_SESSION, PAGE),
    "treatment:session_live": Door(P.RUN_SESSION, PAGE),
    "treatment:begin_amending": Door(P.RUN_SESSION, WRITE),
    "treatment:record": Door(P.RUN_SESSION, WRITE),
    "treatment:acknowledge": Door(P.RUN_SESSION, WRITE),
    "treatment:undo": Door(P.RUN_SESSION, WRITE),
    "treatment:amend": Door(P.RUN_SESSION, FORM_),
    "aftercare:contacts": Door(P.GIVE_AFTERCARE, PAGE),
    "aftercare:page": Door(P.GIVE_AFTERCARE, PAGE),
    "aftercare:sheet": Door(P.GIVE_AFTERCARE, PAGE),
    "aftercare:give": Door(P.GIVE_AFTERCARE, WRITE),
    "aftercare:contact": Door(P.GIVE_AFTERCARE, FORM_),
    "followup:own_answer": Door(P.ANSWER_OWN_FORM, FORM),
    "followup:patient": Door(P.SEE_CHART, READ),
    "followup:answer": Door(P.RECORD_SCORE, FORM),
    "followup:form": Door(P.SEE_CHART, READ),
    "followup:correct": Door(P.RECORD_SCORE, FORM),
    "followup:alerts": Door(P.OWN_ALERT, READ),
    "followup:alert": Door(P.OWN_ALERT, FORM),
    "surveillance:patient": Door(P.SEE_CHART, READ),
    "surveillance:record": Door(P.RECORD_SCREEN, FORM),
    "surveillance:correct": Door(P.RECORD_SCREEN, FORM),
    "maintenance:patient": Door(P.SEE_CHART, READ),
    "maintenance:answer": Door(P.ANSWER_PROPOSAL, FORM),
    "maintenance:evaluate": Door(P.ANSWER_PROPOSAL, WRITE),
    "continuity:downtime": Door(P.SEE_DOWNTIME, PAGE),
    "continuity:blank": Door(P.SEE_DOWNTIME, PAGE),
    "continuity:restoration_seen": Door(P.MANAGE_STAFF, WRITE),
    "continuity:paper": Door(P.RUN_SESSION, FORM_),
    "continuity:paper_open": Door(P.RUN_SESSION, FORM_),
    "continuity:paper_entries": Door(P.RUN_SESSION, FORM_),
    "fhir:import": Door(P.IMPORT_RECORD, FORM),
    "fhir:import_result": Door(P.IMPORT_RECORD, PAGE),
    "fhir:export": Door(P.EXPORT_RECORD, PAGE),
    "fhir:export_bundle": Door(P.EXPORT_RECORD, WRITE),
}

EMERGENCY_OPENS = (P.SEE_CHART, P.SEE_PATIENTS)
"""What an emergency access opens, on pages that name the patient in their address, for reading."""

WORDS = {
    "rule_id": "SPR-MON-10",
    "room": "treatment",
    "what": "medicine",
    "product": "esketamine-nasal",
    "instrument": "phq9",
    "language": "en",
    "version": "2026.1",
    "form": "blank-vitals",
    "token": "nobody-s",
    "factor_pk": "987654321",
    "presence_pk": "987654321",
}
"""Converters that name no row of a clinic. Of a person's own sign-in: ``tests/clinic/access`` tries other people's."""

OBJECTS: dict[str, type[models.Model]] = {
    "patient_pk": Patient,
    "caregiver_pk": Caregiver,
    "access_pk": PersonalAccess,
    "emergency_pk": EmergencyAccess,
    "staff_pk": Staff,
    "text_pk": ConsentText,
    "plan_pk": Plan,
    "booking_pk": Booking,
    "session_pk": Session,
    "event_pk": SessionEvent,
    "restoration_pk": Restoration,
    "screening:change_answer pk": HistoryAnswer,
    "screening:stop_medicine pk": Medication,
    "screening:refute pk": Problem,
    "screening:refute_allergy pk": Allergy,
    "screening:correct_trial pk": AntidepressantTrial,
    "consent:signature pk": ConsentSignature,
    "consent:text pk": ConsentText,
    "followup:form pk": ScaleAnswer,
    "followup:correct pk": ScaleAnswer,
    "followup:alert pk": Alert,
    "surveillance:correct pk": ScreenResult,
    "fhir:import_result pk": FhirImport,
}
"""What a converter names: by its own name, or as ``pk`` of one route."""

ASKED = {
    "journey:home": ("?open={patient}",),
    "journey:patients": (
        "?words={name_begins}",
        "?words={record_number}",
        "?after={patient}",
        "?before={patient}",
        "?stage=maintenance",
    ),
    "journey:timeline": ("?after={line}", "?stage=treatment"),
    "planning:patient": ("?protocol=esketamine-trd-us",),
    "planning:book_one": ("?number=1&day=2027-06-02&chair=1",),
    "consent:patient": ("?product=ketamine-iv",),
    "screening:patient": ("?product=ketamine-iv",),
    "policy:rules": ("?room=treatment&grade=A",),
    "surveillance:record": ("?kind=bladder",),
}
"""Questions a page takes in its address, filled with what belongs to another clinic."""

NO_PAGE_OF_ITS_OWN = {
    "people.PatientIdentifier": "read by imports and exports",
    "people.PatientCorrection": "people:patient",
    "people.EmergencyReview": "people:emergency",
    "people.EmergencyClosing": "people:emergency",
    "record.TimelineEntry": "journey:timeline",
    "record.Intent": "the answer to a repeated request",
    "record.IntentAnswer": "the answer to a repeated request",
    "record.StoredDecision": "behind the pages of the rooms",
    "policy.PolicySignature": "policy:rule",
    "screening.Procedure": "screening:patient",
    "screening.VitalSign": "screening:patient",
    "screening.CandidacyDecision": "screening:patient",
    "consent.ConsentWithdrawal": "consent:patient",
    "planning.PlanEnd": "planning:patient",
    "planning.BookingChange": "planning:booking",
    "treatment.WrittenOnPaper": "treatment:session",
    "continuity.RestorationSeen": "continuity:downtime",
    "treatment.RemsEnrolment": "treatment:open",
    "aftercare.InstructionsGiven": "aftercare:page",
    "aftercare.NextDayContact": "aftercare:contact",
    "followup.AlertEvent": "followup:alert",
    "maintenance.NextSessionAnswer": "maintenance:patient",
    "maintenance.BenefitEvaluation": "maintenance:patient",
}
"""Rows of a clinic that no address names, and the page that shows them (its cells stand in the matrix)."""


def holds(role: str, permission: P | None) -> bool:
    """Return whether a role goes through a door with this permission."""
    return permission is None or role in WHO[permission]


def named(route: str, key: str) -> type[models.Model] | None:
    """Return the model a converter of a route names, or ``None`` for a word."""
    return OBJECTS.get(f"{route} {key}", OBJECTS.get(key))
