"""What a restored record must say of itself: sign-ins ended, what is missing, in the audit log and on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from ketaclinic.access.models import Invitation, Presence
from ketaclinic.audit.actions import write_audit
from ketaclinic.continuity.models import Restoration, RestorationSeen
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Permission, check_in_clinic, check_may


@dataclass(frozen=True, slots=True)
class Missing:
    """The stretch of time whose entries the backup cannot hold: from its moment to that of the restore.

    An anchor says what was written by then, never that nothing was written afterwards: it shortens nothing.
    """

    since: datetime
    until: datetime
    audit_entries: int | None = None
    """How many entries of the audit log are lost at least; ``None`` where no anchor was at hand."""


def end_all_sign_ins(at: datetime) -> int:
    """End every browser session and every link that was not used by then; return how many sessions there were.

    A link that was used after the backup would hold a second time, for whoever kept it.
    """
    Invitation.objects.filter(used_at=None, withdrawn_at=None).update(withdrawn_at=at)
    Presence.objects.all().delete()
    ended, _ = Session.objects.all().delete()
    return ended


@transaction.atomic
def mark_restored(
    *, by: str, at: datetime, backup_at: datetime, missing: Missing, application: str, sha256: str
) -> list[Restoration]:
    """Write into every clinic of the record that it was restored, and what is missing since.

    ``by`` is the sign-in of the machine that did it.
    """
    known = missing.audit_entries
    lost = "" if known is None else f"At least {known} entries of the audit log are lost"
    rows = []
    for clinic in Clinic.objects.order_by("pk"):
        row = Restoration.objects.create(
            clinic=clinic,
            at=at,
            backup_at=backup_at,
            complete_until=missing.since,
            missing_until=missing.until,
            application=application,
            sha256=sha256,
            detail=lost,
        )
        write_audit("restore", by=None, clinic_id=clinic.pk, at=at, obj=row, reason=f"by {by} from {sha256[:12]}")
        rows.append(row)
    return rows


@transaction.atomic
def acknowledge_restoration(*, restoration: Restoration, by: Staff, at: datetime) -> RestorationSeen:
    """Write down who has read which entries are missing; again is the same row."""
    check_may(by, Permission.MANAGE_STAFF)
    check_in_clinic(by, restoration)
    seen, made = RestorationSeen.objects.get_or_create(
        restoration=restoration, defaults={"clinic_id": restoration.clinic_id, "at": at, "by": by}
    )
    if made:
        write_audit("acknowledge_restoration", by=by, at=at, obj=seen)
    found: RestorationSeen = seen
    return found
