"""Restores of this clinic, and who has read what they lost."""

from __future__ import annotations

from django.db.models import QuerySet

from ketaclinic.continuity.models import Restoration
from ketaclinic.people.models import Clinic
from ketaclinic.people.queries import one_in


def newest_restoration(clinic: Clinic) -> Restoration | None:
    """Return the newest restore of this clinic's record, with who has seen it."""
    found: Restoration | None = (
        Restoration.objects.filter(clinic=clinic).select_related("seen", "seen__by").order_by("-at", "-pk").first()
    )
    return found


def unseen_restoration(clinic: Clinic) -> Restoration | None:
    """Return the newest restore nobody has acknowledged yet."""
    found: Restoration | None = (
        Restoration.objects.filter(clinic=clinic, seen__isnull=True).order_by("-at", "-pk").first()
    )
    return found


def restoration_in(clinic: Clinic, pk: int) -> Restoration:
    """Return a restore of this clinic; raises ``Http404`` for one of another clinic or none at all."""
    rows: QuerySet[Restoration] = Restoration.objects.filter(clinic=clinic)
    return one_in(rows, "restore of this clinic", pk)
