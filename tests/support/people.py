"""People for tests: a clinic, its staff, a patient. All synthetic."""

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
    user = User.objects.create_user(username=f"{role}-{number}", password="correct horse battery")
    values = {"display_name": f"Synthetic {Role(role).label} {number}", "synthetic": True}
    return Staff.objects.create(user=user, clinic=clinic, role=role, **{**values, **fields})


def make_patient(clinic: Clinic, **fields: object) -> Patient:
    number = next(_numbers)
    values = {
        "record_number": f"K-{30_000 + number}",
        "given_name": "Synthetic",
        "family_name": f"Person{number}",
        "birth_date": date(1984, 3, 14),
        "sex": Patient.Sex.FEMALE,
        "registered_at": NOON,
        "synthetic": True,
    }
    return Patient.objects.create(clinic=clinic, **{**values, **fields})
