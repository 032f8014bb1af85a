"""The session, and everything that happened in it. Both are only ever added to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from ketaclinic.planning.models import Booking, Plan
from ketaclinic.record.models import ClinicalQuerySet, ClinicalRow
from ketacore.treatment.events import Event, EventKind, read_payload

if TYPE_CHECKING:
    from typing import Self

KINDS = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in EventKind]
GIVING_KINDS = (EventKind.DEVICE.value, EventKind.INFUSION_START.value)
DOSING_KINDS = (
    *GIVING_KINDS,
    EventKind.DOSING_ENDED.value,
    EventKind.INFUSION_PAUSE.value,
    EventKind.INFUSION_RESUME.value,
    EventKind.INFUSION_END.value,
    EventKind.STOPPED.value,
)
"""Everything that tells when drug flowed and how much of it."""
CLOSING_KINDS = (EventKind.DISCHARGED.value, EventKind.STOPPED.value)


class Session(ClinicalRow):
    """One supervised session; ``at`` is when it was opened. What happened in it stands in its events.

    ``dose_mg`` is the dose planned for today (28 mg per nasal device), ``infusion_min`` how long it should run,
    ``weight_kg`` the usable weight a dose per kilogram was computed from.
    ``entry_key`` is drawn by the device that sent the entry: the same entry sent twice is one row.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="sessions")
    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, null=True, blank=True, related_name="session")
    product = models.CharField(max_length=30)
    chair = models.PositiveSmallIntegerField()
    dose_mg = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    dose_reason = models.TextField(blank=True)
    infusion_min = models.PositiveSmallIntegerField(null=True, blank=True)
    weight_kg = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    entry_key = models.CharField(max_length=64)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["clinic", "at"]), models.Index(fields=["clinic", "patient", "at"])]
        constraints = [models.UniqueConstraint(fields=["clinic", "entry_key"], name="one_session_per_entry")]

    def __str__(self) -> str:
        return f"{self.product} on {self.at:%Y-%m-%d %H:%M}, chair {self.chair}"

    @property
    def opened_at(self) -> datetime:
        """When the session was opened."""
        return self.at


class RemsEnrolment(ClinicalRow):
    """The patient is enrolled in the REMS, or was taken off it (``enrolled`` false); the newest row counts."""

    enrolled = models.BooleanField(default=True)
    enrolled_on = models.DateField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "-at"])]

    def __str__(self) -> str:
        return f"REMS enrolment {self.enrolled_on:%Y-%m-%d}" if self.enrolled else "Not enrolled in the REMS"


class SessionEventQuerySet(ClinicalQuerySet):
    """Events that count."""

    def standing(self) -> Self:
        """Return the events that were neither amended nor voided."""
        return self.current().filter(voided=False)


def as_event(at: datetime, kind: str, payload: Any, entry_key: str, by: str = "", by_role: str = "") -> Event:
    """Return the columns of a row as the core knows them."""
    return Event(at=at, what=read_payload(kind, payload), key=entry_key, by=by, by_role=by_role)


class SessionEvent(ClinicalRow):
    """One thing that happened in a session. ``payload`` is typed by ``kind`` and checked by the core before it is kept.

    A correction is a new row that ``amends`` the old one; undo is an amendment with ``voided``. Both rows stay.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=KINDS)
    payload: models.JSONField[Any, Any] = models.JSONField()
    voided = models.BooleanField(default=False)
    entry_key = models.CharField(max_length=64)

    objects = SessionEventQuerySet.as_manager()  # type: ignore[misc]  # a richer query set than the base class has

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["session", "kind", "at"]),
            models.Index(fields=["patient", "kind", "-at"]),
            models.Index(fields=["clinic", "kind", "-at"]),
        ]
        constraints = [models.UniqueConstraint(fields=["session", "entry_key"], name="one_event_per_entry")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M} {self.get_kind_display()}"

    def as_event(self) -> Event:
        """Return the row as the core knows it."""
        who = self.recorded_by
        return as_event(self.at, self.kind, self.payload, self.entry_key, who.display_name, who.role)


class WrittenOnPaper(ClinicalRow):
    """A session, or an entry of one, was kept on paper while the server was gone, and typed in later.

    ``event`` is the entry, none for the session itself; ``reason`` why it was on paper. ``against`` is what the gates
    would have refused had they been asked, line by line: it happened, so it is recorded, and so is that.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="on_paper")
    event = models.OneToOneField(SessionEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="on_paper")
    reason = models.CharField(max_length=200)
    against: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "written on paper"

    def __str__(self) -> str:
        return f"on paper: {self.reason}"
