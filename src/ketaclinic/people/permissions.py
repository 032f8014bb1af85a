"""May *this person* do it? Roles, what each may do, and the declaration every route carries.

Whether something may happen *now* is another question, answered by the core.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseBase


class Role(models.TextChoices):
    """What a person is to the clinic."""

    PRESCRIBER = "prescriber", "Prescriber"
    NURSE = "nurse", "Nurse"
    THERAPIST = "therapist", "Therapist"
    FRONT_DESK = "front_desk", "Front desk"
    MANAGER = "manager", "Manager"
    RESEARCHER = "researcher", "Researcher"
    ADMINISTRATOR = "administrator", "Administrator"


class Permission(StrEnum):
    """One thing a person may do; named after the deed."""

    SEE_HOME = "see_home"
    SEE_FLOOR = "see_floor"
    SEE_PATIENTS = "see_patients"
    SEE_CHART = "see_chart"
    SEE_RULES = "see_rules"
    SEE_REGISTRY = "see_registry"
    SEE_TODAY = "see_today"
    SEE_OPERATIONS = "see_operations"
    REGISTER_PATIENT = "register_patient"
    IMPORT_RECORD = "import_record"
    EXPORT_RECORD = "export_record"
    RECORD_HISTORY = "record_history"
    DECIDE_CANDIDACY = "decide_candidacy"
    OVERRIDE_STOP = "override_stop"
    TAKE_CONSENT = "take_consent"
    SIGN_PLAN = "sign_plan"
    BOOK_SESSION = "book_session"
    RUN_SESSION = "run_session"
    SIGN_RELEASE = "sign_release"
    GIVE_AFTERCARE = "give_aftercare"
    RECORD_SCORE = "record_score"
    OWN_ALERT = "own_alert"
    RECORD_SCREEN = "record_screen"
    ANSWER_PROPOSAL = "answer_proposal"
    CONFIRM_RIDE = "confirm_ride"
    SIGN_POLICY = "sign_policy"
    MANAGE_STAFF = "manage_staff"


_P = Permission
_EVERYONE = frozenset({_P.SEE_HOME})
_CLINICAL_READING = frozenset({_P.SEE_FLOOR, _P.SEE_PATIENTS, _P.SEE_CHART, _P.SEE_RULES, _P.SEE_TODAY})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PRESCRIBER: _EVERYONE
    | _CLINICAL_READING
    | {
        _P.REGISTER_PATIENT,
        _P.IMPORT_RECORD,
        _P.EXPORT_RECORD,
        _P.RECORD_HISTORY,
        _P.DECIDE_CANDIDACY,
        _P.OVERRIDE_STOP,
        _P.TAKE_CONSENT,
        _P.SIGN_PLAN,
        _P.BOOK_SESSION,
        _P.RUN_SESSION,
        _P.SIGN_RELEASE,
        _P.GIVE_AFTERCARE,
        _P.RECORD_SCORE,
        _P.OWN_ALERT,
        _P.RECORD_SCREEN,
        _P.ANSWER_PROPOSAL,
        _P.CONFIRM_RIDE,
        _P.SIGN_POLICY,
    },
    Role.NURSE: _EVERYONE
    | _CLINICAL_READING
    | {
        _P.REGISTER_PATIENT,
        _P.IMPORT_RECORD,
        _P.RECORD_HISTORY,
        _P.TAKE_CONSENT,
        _P.BOOK_SESSION,
        _P.RUN_SESSION,
        _P.GIVE_AFTERCARE,
        _P.RECORD_SCORE,
        _P.OWN_ALERT,
        _P.RECORD_SCREEN,
        _P.CONFIRM_RIDE,
    },
    Role.THERAPIST: _EVERYONE | frozenset({_P.SEE_PATIENTS, _P.SEE_CHART, _P.SEE_RULES, _P.RECORD_SCORE, _P.OWN_ALERT}),
    Role.FRONT_DESK: _EVERYONE
    | frozenset({_P.SEE_TODAY, _P.SEE_PATIENTS, _P.REGISTER_PATIENT, _P.BOOK_SESSION, _P.CONFIRM_RIDE}),
    Role.MANAGER: _EVERYONE | frozenset({_P.SEE_OPERATIONS, _P.SEE_TODAY, _P.SEE_FLOOR, _P.SEE_RULES}),
    Role.RESEARCHER: _EVERYONE | frozenset({_P.SEE_REGISTRY, _P.SEE_RULES}),
    Role.ADMINISTRATOR: _EVERYONE
    | frozenset({_P.MANAGE_STAFF, _P.IMPORT_RECORD, _P.EXPORT_RECORD, _P.SEE_RULES, _P.SEE_PATIENTS}),
}

View = Callable[..., HttpResponseBase]


def may(role: str, permission: Permission) -> bool:
    """Return whether a role holds a permission."""
    return permission in ROLE_PERMISSIONS[Role(role)]


def check_may(by: Any, permission: Permission) -> None:
    """Raise ``PermissionDenied`` unless the acting member of staff holds ``permission``."""
    if not by.is_active or not may(by.role, permission):
        raise PermissionDenied(f"Your role ({by.get_role_display()}) may not do this.")


def check_in_clinic(by: Any, row: Any) -> None:
    """Raise ``PermissionDenied`` unless ``row`` belongs to the clinic of the acting member of staff.

    ``row`` is anything with a ``clinic_id``: a patient, or whatever was written about one.
    """
    if row.clinic_id != by.clinic_id:
        raise PermissionDenied("This belongs to another clinic.")


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare the permission of a view; without it the person is sent to sign in, or refused."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            staff = getattr(request, "staff", None)
            if staff is None:
                return redirect_to_sign_in(request)
            check_may(staff, permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return declare


def redirect_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send the person to sign in, and back here afterwards."""
    # Imported late: Django's own sign-in views need the user model, which needs this module.
    from django.contrib.auth.views import redirect_to_login

    return redirect_to_login(request.get_full_path())


def public(view: View) -> View:
    """Declare that a view may be seen without signing in, and shows nothing about anybody."""

    @wraps(view)
    def open_to_all(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    open_to_all.permission = None  # type: ignore[attr-defined]
    return open_to_all
