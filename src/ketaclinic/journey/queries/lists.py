"""The list of patients, page by page, and how many are where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from ketaclinic.journey.facts import Way, facts_of
from ketaclinic.journey.queries.ways import ways_of
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.queries import patients_named
from ketaclinic.planning.queries import awaiting_plan
from ketaclinic.screening.queries import awaiting_decision
from ketacore.evidence import Setting
from ketacore.journey import where

PAGE_SIZE = 50
WAITING: Mapping[str, Callable[[Clinic, datetime], QuerySet[Patient]]] = {
    "to-decide": awaiting_decision,
    "to-plan": awaiting_plan,
}
"""Lists of a first page that the list of patients shows whole."""


@dataclass(frozen=True, slots=True)
class PatientPage:
    """A page of the list of patients; ``before`` and ``after`` are the keys of its neighbours."""

    ways: tuple[Way, ...]
    before: int | None
    after: int | None


def patient_page(
    clinic: Clinic,
    setting: Setting,
    at: datetime,
    *,
    words: str = "",
    stage: str = "",
    after: int | None = None,
    before: int | None = None,
) -> PatientPage:
    """Return a page of patients by name, each with their way.

    ``stage`` is a stage, an outcome, or one of ``WAITING``. ``after`` and ``before`` name the patient whose neighbours
    are asked for; one of another clinic is ignored. A stage is derived, not stored: asking for one reads the ways of
    the whole clinic once.
    """
    rows = patients_named(clinic, words) if words else Patient.objects.of(clinic)
    if stage in WAITING:
        rows = rows.filter(pk__in=WAITING[stage](clinic, at).order_by().values("pk"))
    elif stage:
        rows = rows.filter(pk__in=_at_stage(clinic, setting, at, stage))
    backwards = before is not None
    key = before if backwards else after
    anchor = Patient.objects.of(clinic).filter(pk=key).first() if key is not None else None
    if anchor is not None:
        rows = rows.filter(_beyond(anchor, backwards))
    found, more = _cut(rows, backwards)
    ways = ways_of(clinic, found, at)
    earlier = more if backwards else anchor is not None
    later = anchor is not None if backwards else more
    return PatientPage(
        tuple(ways[p.pk] for p in found),
        before=found[0].pk if found and earlier else None,
        after=found[-1].pk if found and later else None,
    )


def _cut(rows: QuerySet[Patient], backwards: bool) -> tuple[list[Patient], bool]:
    order = ["family_name", "given_name", "pk"]
    ordered = rows.order_by(*(f"-{name}" for name in order)) if backwards else rows.order_by(*order)
    found = list(ordered[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    return (page[::-1] if backwards else page), len(found) > PAGE_SIZE


def _beyond(anchor: Patient, backwards: bool) -> Q:
    side = "lt" if backwards else "gt"
    family, given = anchor.family_name, anchor.given_name
    return (
        Q(**{f"family_name__{side}": family})
        | Q(**{"family_name": family, f"given_name__{side}": given})
        | Q(**{"family_name": family, "given_name": given, f"pk__{side}": anchor.pk})
    )


def _stages(clinic: Clinic, setting: Setting, at: datetime) -> dict[int, str]:
    patients = list(Patient.objects.of(clinic))
    standings = {
        pk: where(facts_of(way, clinic, setting), setting)
        for pk, way in ways_of(clinic, patients, at, everybody=True).items()
    }
    return {pk: s.outcome.value if s.outcome else s.stage.value for pk, s in standings.items()}


def _at_stage(clinic: Clinic, setting: Setting, at: datetime, stage: str) -> list[int]:
    return [pk for pk, word in _stages(clinic, setting, at).items() if word == stage]


def stage_counts(clinic: Clinic, setting: Setting, at: datetime) -> dict[str, int]:
    """Return how many patients are at each stage or outcome."""
    return dict(Counter(_stages(clinic, setting, at).values()))
