"""May *this person* do it? Roles, what each may do, and the declaration every route carries.

Whether something may happen *now* is another question, answered by the core.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseBase

from ketaclinic.audit.actions import write_audit


class Role(models.TextChoices):
    """What a person is to the clinic."""

    PRESCRIBER = "prescriber", "Prescriber"
    NURSE = "nurse", "Nurse"
    THERAPIST = "therapist", "Therapist"
    FRONT_DESK = "front_desk", "Front desk"
    MANAGER = "manager", "Manager"
    RESEARCHER = "researcher", "Researcher"
    ADMINISTRATOR = "administrator", "Administrator"


class OwnRole(models.TextChoices):
    """What a person is to one patient's care: they see that, and nothing else of the clinic."""

    PATIENT = "patient", "Patient"
    CAREGIVER = "caregiver", "Caregiver"


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
    SEE_DOWNTIME = "see_downtime"
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
    READ_AUDIT = "read_audit"
    GIVE_OWN_ACCESS = "give_own_access"
    SEE_EMERGENCIES = "see_emergencies"
    OPEN_EMERGENCY = "open_emergency"
    REVIEW_EMERGENCY = "review_emergency"
    SEE_OWN_CARE = "see_own_care"
    ANSWER_OWN_FORM = "answer_own_form"
    SEE_WARD = "see_ward"


_P = Permission
_EVERYONE = frozenset({_P.SEE_HOME})
_CLINICAL_READING = frozenset(
    {_P.SEE_FLOOR, _P.SEE_PATIENTS, _P.SEE_CHART, _P.SEE_RULES, _P.SEE_TODAY, _P.SEE_DOWNTIME}
)

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
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
        _P.GIVE_OWN_ACCESS,
        _P.SEE_EMERGENCIES,
        _P.REVIEW_EMERGENCY,
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
        _P.GIVE_OWN_ACCESS,
    },
    Role.THERAPIST: _EVERYONE
    | frozenset({_P.SEE_PATIENTS, _P.SEE_CHART, _P.SEE_RULES, _P.RECORD_SCORE, _P.OWN_ALERT, _P.SEE_DOWNTIME}),
    Role.FRONT_DESK: _EVERYONE
    | frozenset(
        {
            _P.SEE_DOWNTIME,
            _P.SEE_TODAY,
            _P.SEE_PATIENTS,
            _P.REGISTER_PATIENT,
            _P.BOOK_SESSION,
            _P.CONFIRM_RIDE,
            _P.GIVE_OWN_ACCESS,
            _P.SEE_EMERGENCIES,
            _P.OPEN_EMERGENCY,
        }
    ),
    Role.MANAGER: _EVERYONE
    | frozenset(
        {
            _P.SEE_OPERATIONS,
            _P.SEE_DOWNTIME,
            _P.SEE_TODAY,
            _P.SEE_FLOOR,
            _P.SEE_RULES,
            _P.SEE_EMERGENCIES,
            _P.OPEN_EMERGENCY,
            _P.REVIEW_EMERGENCY,
        }
    ),
    Role.RESEARCHER: _EVERYONE | frozenset({_P.SEE_REGISTRY, _P.SEE_RULES}),
    Role.ADMINISTRATOR: _EVERYONE
    | frozenset(
        {
            _P.SEE_DOWNTIME,
            _P.MANAGE_STAFF,
            _P.READ_AUDIT,
            _P.IMPORT_RECORD,
            _P.SEE_RULES,
            _P.SEE_PATIENTS,
            _P.GIVE_OWN_ACCESS,
            _P.SEE_EMERGENCIES,
            _P.OPEN_EMERGENCY,
        }
    ),
    OwnRole.PATIENT: _EVERYONE | frozenset({_P.SEE_OWN_CARE, _P.ANSWER_OWN_FORM}),
    OwnRole.CAREGIVER: _EVERYONE | frozenset({_P.SEE_WARD}),
}
"""What a role may do. What is not listed is refused, and so is a role that is not listed."""

EMERGENCY_OPENS = frozenset({_P.SEE_CHART, _P.SEE_PATIENTS})
"""What an open emergency access adds, for one patient and for reading only."""
READING = ("GET", "HEAD")

View = Callable[..., HttpResponseBase]


def may(role: str, permission: Permission) -> bool:
    """Return whether a role holds a permission."""
    return permission in ROLE_PERMISSIONS.get(role, frozenset())


def check_may(by: Any, permission: Permission) -> None:
    """Raise ``PermissionDenied`` unless the acting person holds ``permission``."""
    if not by.is_active or not may(by.role, permission):
        raise PermissionDenied(f"Your role ({by.get_role_display()}) may not do this.")


def check_in_clinic(by: Any, row: Any) -> None:
    """Raise ``PermissionDenied`` unless ``row`` belongs to the clinic of the acting person.

    ``row`` is anything with a ``clinic_id``: a patient, or whatever was written about one. For a patient or caregiver
    it must also be about the one patient whose care their sign-in opens.
    """
    if row.clinic_id != by.clinic_id:
        raise PermissionDenied("This belongs to another clinic.")
    theirs = getattr(by, "patient_id", None)
    if theirs is not None and getattr(row, "patient_id", row.pk) != theirs:
        raise PermissionDenied("This is about somebody else.")


def requires(
    permission: Permission,
    *,
    fresh: str = "",
    fresh_when: Callable[..., bool] | None = None,
    password_again: bool = False,
    polling: bool = False,
    asking: bool = False,
) -> Callable[[View], View]:
    """Declare the permission of a view; without it the person is sent to sign in, or refused.

    ``fresh``: what is written here is signed, ordered or taken out, so the person confirms anew that it is they; it
    names the deed, as in "sign this plan". With ``fresh_when`` that is so only where it says so, asked with the request
    and what its address names. ``password_again``: however lately they did, they type their password, and no passkey
    stands for it. ``polling``: the page asks for this
    by itself, so it is no sign that somebody is there. The room ``access`` enforces all of these.
    ``asking``: what is sent only asks, in the body because an address is kept in places; nothing is written.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            away = turned_away(request, permission, kwargs.get("patient_pk"))
            return away if away is not None else view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.fresh = fresh  # type: ignore[attr-defined]
        guarded.fresh_when = fresh_when  # type: ignore[attr-defined]
        guarded.password_again = password_again  # type: ignore[attr-defined]
        guarded.polling = polling  # type: ignore[attr-defined]
        guarded.asking = asking  # type: ignore[attr-defined]
        return guarded

    return declare


def turned_away(request: HttpRequest, permission: Permission, patient_pk: int | None = None) -> HttpResponseBase | None:
    """Return the way to the sign-in for nobody, ``None`` for who may; raises ``PermissionDenied`` for all others."""
    actor = acting(request)
    if actor is None:
        return redirect_to_sign_in(request)
    if not _opened_in_emergency(request, actor, permission, patient_pk):
        _check_may_or_point_out_the_door(actor, permission, patient_pk)
    return None


def _check_may_or_point_out_the_door(actor: Any, permission: Permission, patient_pk: int | None) -> None:
    """Raise ``PermissionDenied`` as ``check_may`` does, and say where a chart is opened in an emergency."""
    opens = permission in EMERGENCY_OPENS and patient_pk is not None and actor.may(Permission.OPEN_EMERGENCY)
    if opens and not actor.may(permission):
        raise PermissionDenied(
            f"Your role ({actor.get_role_display()}) does not see charts. In an emergency you can open one for a short "
            "time, under Emergency; if you had, it is closed again."
        )
    check_may(actor, permission)


def acting(request: HttpRequest) -> Any:
    """Return who acts: the member of staff, else the patient or caregiver, else ``None``."""
    return getattr(request, "staff", None) or getattr(request, "own", None)


def _opened_in_emergency(request: HttpRequest, actor: Any, permission: Permission, patient_pk: int | None) -> bool:
    """Return whether an emergency access of this person opens this page about this patient; the reading is audited."""
    if permission not in EMERGENCY_OPENS or patient_pk is None or request.method not in READING:
        return False
    if actor.may(permission) or not actor.may(Permission.OPEN_EMERGENCY):
        return False
    at: datetime = request.at  # type: ignore[attr-defined]
    access = actor.emergency_for(patient_pk, at)
    if access is None:
        return False
    request.emergency = access  # type: ignore[attr-defined]
    write_audit("read_in_emergency", by=actor, at=at, patient_id=patient_pk, obj=access, reason=access.reason)
    return True


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
    open_to_all.polling = open_to_all.asking = False  # type: ignore[attr-defined]
    open_to_all.fresh = ""  # type: ignore[attr-defined]
    open_to_all.password_again = False  # type: ignore[attr-defined]
    open_to_all.fresh_when = None  # type: ignore[attr-defined]
    return open_to_all


def seen_while_locked(view: View) -> View:
    """Declare that a locked session may still ask for this: it shows and changes nothing about anybody."""
    view.while_locked = True  # type: ignore[attr-defined]
    return view
