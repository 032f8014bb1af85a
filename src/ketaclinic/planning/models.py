"""Plans, their ends, booked sessions and what became of the bookings. All rows are only ever added to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models

from ketaclinic.people.models import Staff
from ketaclinic.record.models import ClinicalQuerySet, ClinicalRow

if TYPE_CHECKING:
    from typing import Self


class PlanQuerySet(ClinicalQuerySet):
    """Plans, as they stood at a moment."""

    def standing_at(self, at: datetime) -> Self:
        """Return plans signed by ``at`` that neither a change nor an end had replaced by then."""
        return (
            self.filter(at__lte=at)
            .exclude(amended_by__at__lte=at)
            .exclude(pk__in=PlanEnd.objects.filter(at__lte=at).values("plan_id"))
        )


class Plan(ClinicalRow):
    """What the prescriber signed for this person: protocol, dose, first day. A change is an amendment with a reason.

    ``first`` is the plan this one began as (``None`` for the first signature); ``course_id`` names the chain.
    ``customised`` holds what departs from the protocol's default: ``weekdays`` (0 = Monday), ``interval_weeks`` and
    the ``reason`` for a departure.
    """

    protocol_id = models.CharField(max_length=40)
    protocol_version = models.PositiveIntegerField()
    product = models.CharField(max_length=30)
    dose_mg = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    dose_mg_per_kg = models.DecimalField(max_digits=5, decimal_places=3, null=True, blank=True)
    weight_kg = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    weight_measured_on = models.DateField(null=True, blank=True)
    starts_on = models.DateField()
    customised: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    goals = models.TextField(blank=True)
    signed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="versions")

    objects = PlanQuerySet.as_manager()  # type: ignore[misc]  # a richer query set than the base class has

    class Meta:
        indexes = [models.Index(fields=["patient", "-at"]), models.Index(fields=["clinic", "product"])]

    def __str__(self) -> str:
        return f"{self.protocol_id} from {self.starts_on:%Y-%m-%d}"

    @property
    def course_id(self) -> int:
        """The first plan of the chain of changes; bookings and sessions of one course share it."""
        return self.first_id or self.pk


class PlanEnd(ClinicalRow):
    """The plan is over: finished, stopped or replaced. ``plan`` is the version that stood."""

    class Why(models.TextChoices):
        """Why a course ended."""

        COMPLETED = "completed", "Course completed"
        NO_BENEFIT = "no_benefit", "Not enough benefit"
        NOT_TOLERATED = "not_tolerated", "Not tolerated"
        PATIENT_CHOICE = "patient_choice", "The patient's choice"
        OTHER_PROTOCOL = "other_protocol", "Another protocol follows"
        OTHER = "other", "Another reason"

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="end")
    why = models.CharField(max_length=20, choices=Why.choices)
    reason = models.TextField()

    def __str__(self) -> str:
        return f"{self.get_why_display()} on {self.at:%Y-%m-%d}"


class BookingQuerySet(ClinicalQuerySet):
    """Bookings that still stand."""

    def standing(self) -> Self:
        """Return bookings that were neither moved (the newer row stands), cancelled nor missed."""
        return self.current().filter(change__isnull=True)


class Booking(ClinicalRow):
    """One session on one chair. Moving it is an amendment: the newer row stands, the older one is kept.

    ``planned_on`` is the day the series asked for, ``starts_at`` the time on the calendar, ``number`` and
    ``phase`` the place in the protocol.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="bookings")
    number = models.PositiveSmallIntegerField()
    phase = models.CharField(max_length=30)
    planned_on = models.DateField()
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=150)
    chair = models.PositiveSmallIntegerField()

    objects = BookingQuerySet.as_manager()  # type: ignore[misc]  # a richer query set than the base class has

    class Meta:
        indexes = [models.Index(fields=["clinic", "starts_at"]), models.Index(fields=["patient", "starts_at"])]

    def __str__(self) -> str:
        return f"Session {self.number} on {self.starts_at:%Y-%m-%d %H:%M}, chair {self.chair}"

    @property
    def ends_at(self) -> datetime:
        """When the chair is free again."""
        return self.starts_at + timedelta(minutes=self.minutes)


class BookingChange(ClinicalRow):
    """A booking that will not be kept: cancelled before, or missed. Its absence means that the booking stands."""

    class Kind(models.TextChoices):
        """What became of the booking."""

        CANCELLED = "cancelled", "Cancelled"
        MISSED = "missed", "Missed"

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="change")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.TextField()

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason}"
