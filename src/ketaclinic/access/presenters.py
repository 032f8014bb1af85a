"""Template-ready values about sign-ins and devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator

from ketaclinic.access.models import Presence
from ketaclinic.people.models import Staff


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One member of the clinic's staff."""

    pk: int
    name: str
    username: str
    role: str
    director: bool
    active: bool
    invited: bool
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One signed-in browser."""

    pk: int
    device: str
    address: str
    since: datetime
    last_active: datetime
    locked: bool
    this: bool


@dataclass(frozen=True, slots=True)
class FactorLine:
    """One second factor."""

    pk: int
    name: str
    since: datetime
    used: datetime | None


def staff_lines(staff: Iterable[Staff], invited: set[int]) -> list[StaffLine]:
    """Return the staff list for display; ``invited`` are the users who have not used their link yet."""
    return [
        StaffLine(
            pk=member.pk,
            name=member.display_name,
            username=member.user.username,
            role=member.get_role_display(),
            director=member.is_medical_director,
            active=member.is_active,
            invited=member.user_id in invited,
            last_seen=member.user.last_login,
        )
        for member in staff
    ]


def device_lines(presences: Iterable[Presence], here: Presence | None) -> list[DeviceLine]:
    """Return signed-in browsers for display; ``here`` is the one in hand."""
    return [
        DeviceLine(
            pk=presence.pk,
            device=presence.device,
            address=presence.address,
            since=presence.started_at,
            last_active=presence.last_active_at,
            locked=presence.locked_at is not None,
            this=here is not None and presence.pk == here.pk,
        )
        for presence in presences
    ]


def factor_lines(kept: Iterable[Authenticator]) -> list[FactorLine]:
    """Return second factors for display."""
    return [FactorLine(factor.pk, _name(factor), factor.created_at, factor.last_used_at) for factor in kept]


def _name(factor: Authenticator) -> str:
    return str(factor.data["name"]) if factor.type == Authenticator.Type.WEBAUTHN else "App with codes"


def code_words(codes: Iterable[str]) -> list[str]:
    """Return recovery codes as people copy them: in two halves."""
    return [f"{code[:5]} {code[5:]}" for code in codes]
