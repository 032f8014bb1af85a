"""What tests do inside a server's own settings and database: ``python -m tests.support.inside NAME ARGUMENTS``.

A real server has a database and a secret key of its own. Each function here runs in a process of its own that knows
both, takes JSON and returns JSON; ``tests.support.server.Server.inside`` calls them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def seed() -> dict[str, Any]:
    """Make a clinic with one member of staff in each role, two patients, and six chairs in use; return their keys."""
    from django.utils import timezone

    from ketaclinic.people.permissions import Role
    from tests.clinic.treatment_screens.floor import full_floor
    from tests.support.people import make_clinic, make_patient, make_staff

    clinic = make_clinic()
    staff = {role.value: make_staff(clinic, role, is_medical_director=role is Role.PRESCRIBER) for role in Role}
    chairs = full_floor(clinic, staff["nurse"], staff["prescriber"], timezone.now())
    return {
        "clinic": clinic.pk,
        "staff": {role: member.pk for role, member in staff.items()},
        "patients": [make_patient(clinic).pk for _ in range(2)],
        "sessions": {str(chair): session.pk for chair, session in chairs.items()},
    }


def sign_in(staff_pk: int) -> str:
    """Return the key of a session of this person, made straight in the database: no sign-in page is asked."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from ketaclinic.access.store import SessionStore
    from ketaclinic.config import settings
    from ketaclinic.people.models import Staff
    from tests.support.presence import make_presence

    user = Staff.objects.select_related("user").get(pk=staff_pk).user
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    make_presence(user, str(store.session_key))
    return str(store.session_key)


def ways_in(staff_pk: int, patient_pk: int, password: str) -> dict[str, str]:
    """Give a member of staff an app with codes, and a patient a sign-in; return their user names and the secret."""
    from datetime import timedelta

    from django.utils import timezone

    from ketaclinic.people.actions import give_access
    from ketaclinic.people.models import Patient, Staff
    from ketaclinic.people.permissions import Role
    from tests.clinic.access.people import with_app
    from tests.support.people import make_staff

    at, member, patient = timezone.now(), Staff.objects.get(pk=staff_pk), Patient.objects.get(pk=patient_pk)
    secret = with_app(member, at - timedelta(hours=1)).secret
    own = give_access(patient=patient, by=make_staff(patient.clinic, Role.NURSE), at=at)
    own.user.set_password(password)
    own.user.save()
    return {"member": member.user.username, "secret": secret, "patient": own.user.username}


CALLS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (seed, sign_in, ways_in)}


def main() -> None:
    """Run one function and print what it returns."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "ketaclinic.config.settings"
    django.setup()
    name, arguments = sys.argv[1:]
    print(json.dumps(CALLS[name](**json.loads(arguments))))  # noqa: T201  this is how a process returns something


if __name__ == "__main__":
    main()
