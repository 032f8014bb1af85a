"""The pages of a clinic, for what walks through all of them in a browser."""

from __future__ import annotations

from django.test import Client

from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role, may
from tests.support.doors import addresses_of
from tests.support.routes import GUARDED


def pages_of(clinic: Clinic) -> list[tuple[Role, str]]:
    """Return every page there is, with a real object, and who may see it; what is only sent to is no page."""
    found = []
    for name, route in GUARDED.items():
        role = next(
            (r for r in (Role.PRESCRIBER, Role.ADMINISTRATOR, *Role) if may(r, route.callback.permission)), None
        )
        if role is None or name == "fhir:import_result":
            continue
        (address,) = addresses_of(name, clinic)
        browser = Client()
        browser.force_login(Staff.objects.filter(clinic=clinic, role=role).earliest("pk").user)
        answer = browser.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            found.append((role, address))
        else:
            assert answer.status_code in (200, 302, 405), (address, answer.status_code)
    return found
