"""Reads of the timeline, and of what a request was answered before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db.models import QuerySet

from ketaclinic.people.models import Patient, User
from ketaclinic.people.seen import Shown, Standing, last_change
from ketaclinic.record.models import ClinicalRow, Intent, TimelineEntry

Row = TypeVar("Row", bound=ClinicalRow)


def timeline_of(patient: Patient) -> QuerySet[TimelineEntry]:
    """Return the patient's timeline, newest first, with who wrote each line and what replaced it."""
    return TimelineEntry.objects.filter(patient=patient, clinic_id=patient.clinic_id).select_related(
        "recorded_by",
        "told_by__patient",
        "amended_by",
        "amended_by__recorded_by",
        "amended_by__told_by__patient",
    )


def intent_of(user: User, key: str) -> Intent | None:
    """Return what this person has done under this key, with its answer while that is kept."""
    found: Intent | None = Intent.objects.select_related("answer").filter(user=user, key=key).first()
    return found


def newest_version(row: Row) -> Row:
    """Return what stands instead of a row now: the end of its chain of corrections, or the row itself."""
    while (later := type(row)._default_manager.select_related("recorded_by").filter(amends=row).first()) is not None:
        row = later
    return row


def replaced(
    row: Row,
    shown: Callable[[Row], Sequence[Shown]],
    *,
    go_on: Callable[[int], str],
    leave: str,
    settled: Callable[[Row], str] = lambda row: "",
    settler: tuple[str, str] = ("", ""),
    entry_key: str = "",
) -> Standing | None:
    """Return what was written over a row that somebody else corrected meanwhile; ``None`` while it stands.

    ``go_on`` is the address of the form about another version; ``settled`` says why that one cannot be changed.
    Where a row of its own has settled it, ``settler`` names that row and the field that shows it.
    A correction with the same ``entry_key`` is the very one that is being sent: it came through before.
    """
    newest = newest_version(row)
    why = settled(newest)
    if newest.pk == row.pk and not why:
        return None
    if newest.pk != row.pk and entry_key and getattr(newest, "entry_key", "") == entry_key:
        return None
    by, at = last_change(getattr(newest, settler[0], None) or newest)
    return Standing(
        shown(newest),
        by,
        at,
        newest.patient,
        was={field.name: "" if field.name == settler[1] else field.value for field in shown(row)},
        go_on=go_on(newest.pk),
        leave=leave,
        settled=why,
    )
