"""The demo clinic itself: staff with one sign-in per role, signed policies, consent texts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from django.contrib.auth.hashers import make_password

from ketaclinic.consent.actions import sign_off_shipped_texts
from ketaclinic.consent.models import ConsentText
from ketaclinic.people.actions import give_access
from ketaclinic.people.models import Caregiver, Clinic, Patient, PersonalAccess, Staff, User
from ketaclinic.people.permissions import OwnRole, Role
from ketaclinic.people.sign_in import PUBLIC_PASSWORDS
from ketaclinic.policy.actions import sign_policy
from ketaclinic.policy.queries import all_rules
from ketacore.evidence import Grade, Rule

NAME = "Ketaclinic Demo (synthetic)"
(PASSWORD,) = PUBLIC_PASSWORDS
SIGN_INS = {f"demo-{role.value.replace('_', '-')}": PASSWORD for role in (*Role, *OwnRole)}
"""User name to password; printed by the command, known to everybody: a demo holds nobody real."""

OPENED_BEFORE = timedelta(days=500)

NAMES = tomllib.loads((resources.files("ketaclinic.demo") / "data" / "names.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class DemoClinic:
    """The clinic with its people and texts, by role and product."""

    clinic: Clinic
    staff: dict[str, Staff]
    texts: dict[str, ConsentText]

    @property
    def prescriber(self) -> Staff:
        """The medical director."""
        return self.staff[Role.PRESCRIBER]

    @property
    def nurse(self) -> Staff:
        """The nurse on the floor."""
        return self.staff[Role.NURSE]


def found_clinic(at: datetime) -> DemoClinic:
    """Found the demo clinic ``OPENED_BEFORE`` ago: staff, every clinic policy signed, consent texts in force."""
    opened = at - OPENED_BEFORE
    clinic = Clinic.objects.create(
        name=NAME,
        time_zone="America/New_York",
        jurisdiction="US",
        address="1 Example Street, Springfield (invented)",
        phone="+1 555 0100",
        emergency_contact="On-call clinician (invented): +1 555 0199",
        rems_certified_on=opened.date(),
        rems_certified_until=(at + timedelta(days=400)).date(),
        chairs=8,
        synthetic=True,
    )
    password = make_password(PASSWORD)
    staff: dict[str, Staff] = {}
    for role in Role:
        user = User.objects.create(username=f"demo-{role.value.replace('_', '-')}", password=password)
        staff[role] = Staff.objects.create(
            user=user,
            clinic=clinic,
            role=role,
            display_name=NAMES["staff"][role.value],
            is_medical_director=role == Role.PRESCRIBER,
            synthetic=True,
        )
    for rule in clinic_policies():
        sign_policy(rule=rule, by=staff[Role.PRESCRIBER], at=opened)
    texts = sign_off_shipped_texts(by=staff[Role.PRESCRIBER], at=opened)
    return DemoClinic(clinic, staff, {text.product: text for text in texts if text.language == "en"})


def give_sign_in(home: DemoClinic, patient: Patient, at: datetime, caregiver: Caregiver | None = None) -> None:
    """Give one patient, or one caregiver, the demo's sign-in of their kind."""
    access: PersonalAccess = give_access(patient=patient, caregiver=caregiver, by=home.nurse, at=at)
    access.user.username = f"demo-{access.role}"
    access.user.password = make_password(PASSWORD)
    access.user.save(update_fields=["username", "password"])


def clinic_policies() -> list[Rule]:
    """Return every grade-D rule of the core, each once, by id."""
    found = {(rule.rule_id, rule.rule_version): rule for _, rule in all_rules() if rule.grade is Grade.D}
    return [found[key] for key in sorted(found)]
