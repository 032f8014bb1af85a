"""People for tests: a clinic, its staff, a patient. All synthetic.

Their names and numbers are canaries: no other text of the house looks like them, so wherever one turns up, it is they
(``tests/support/canaries.py``). A patient's also says of which clinic, so that no other clinic's page may show it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count

from ketaclinic.people.models import Clinic, Patient, Staff, User
from ketaclinic.people.permissions import Role

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
"""A Monday, noon in New York: the moment tests happen at."""

_numbers = count(1)


def make_clinic(**fields: object) -> Clinic:
    values = {
        "name": "Synthetic Clinic",
        "time_zone": "America/New_York",
        "jurisdiction": "US",
        "emergency_contact": "On call: +1 555 0100",
        "rems_certified_on": date(2025, 1, 1),
        "rems_certified_until": date(2027, 12, 31),
        "synthetic": True,
    }
    return Clinic.objects.create(**{**values, **fields})


def make_staff(clinic: Clinic, role: Role = Role.PRESCRIBER, **fields: object) -> Staff:
    number = next(_numbers)
    user = User.objects.create_user(username=f"stieglitz.{role}-{number}", password="correct horse battery")
    values = {"display_name": f"Synthetic {Role(role).label} Stieglitz{number}", "synthetic": True}
    return Staff.objects.create(user=user, clinic=clinic, role=role, **{**values, **fields})


def make_patient(clinic: Clinic, **fields: object) -> Patient:
    number = next(_numbers)
    values = {
        "record_number": f"K-77{number:05}",
        "given_name": "Zeisina",
        "family_name": f"Zeisig{number}von{clinic.pk}",
        "birth_date": date(1984, 3, 14),
        "sex": Patient.Sex.FEMALE,
        "phone": f"+1 555 77{number:05}",
        "email": f"zeisig{number}von{clinic.pk}@example.org",
        "registered_at": NOON,
        "synthetic": True,
    }
    return Patient.objects.create(clinic=clinic, **{**values, **fields})
