"""One patient's timeline, stretch by stretch."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from ketaclinic.people.models import Patient
from ketaclinic.record.models import TimelineEntry
from ketaclinic.record.queries import timeline_of

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A stretch of the timeline, newest first; ``after`` is the key of the next, older stretch."""

    lines: tuple[TimelineEntry, ...]
    after: int | None


def timeline_page(patient: Patient, stage: str = "", after: int | None = None, size: int = PAGE_SIZE) -> TimelinePage:
    """Return the patient's timeline, newest first; amended lines stand beside what replaced them.

    ``after`` is the last line of the page before; one of another patient is ignored.
    """
    lines = timeline_of(patient)
    if stage:
        lines = lines.filter(stage=stage)
    anchor = TimelineEntry.objects.filter(patient=patient, pk=after).first() if after is not None else None
    if anchor is not None:
        lines = lines.filter(Q(at__lt=anchor.at) | Q(at=anchor.at, pk__lt=anchor.pk))
    found = list(lines[: size + 1])
    page = tuple(found[:size])
    return TimelinePage(page, page[-1].pk if len(found) > size else None)


def timeline_stages(patient: Patient) -> list[str]:
    """Return the stages that have lines on the patient's timeline."""
    return list(TimelineEntry.objects.filter(patient=patient).order_by().values_list("stage", flat=True).distinct())
