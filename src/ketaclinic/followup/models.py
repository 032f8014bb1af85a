"""Answers to rating scales and the alerts they raise: each with an owner, a clock and an append-only loop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from ketaclinic.people.permissions import Role
from ketaclinic.record.models import AuthoredRow, ClinicalQuerySet, ClinicalRow, StoredDecision, one_author

if TYPE_CHECKING:
    from typing import Self


class ScaleAnswer(AuthoredRow):
    """One filled-in form. ``total`` and ``band`` are empty while an item is missing: half a form gives no number.

    ``entry_key`` is drawn when the form is opened: the same form sent twice is one row. ``session`` answers
    are told apart by their time; ``version`` is the version of the instrument that was asked.
    """

    instrument = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField()
    answers: models.JSONField[Any, Any] = models.JSONField()
    total = models.SmallIntegerField(null=True, blank=True)
    band = models.CharField(max_length=40, blank=True)
    complete = models.BooleanField()
    entry_key = models.CharField(max_length=64)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["patient", "instrument", "at"]),
            models.Index(fields=["clinic", "instrument", "-at"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "entry_key"], name="one_scale_answer_per_entry"),
            one_author("scale_answer"),
        ]

    def __str__(self) -> str:
        number = self.total if self.total is not None else "no number"
        return f"{self.instrument} on {self.at:%Y-%m-%d}: {number}"


class AlertQuerySet(ClinicalQuerySet):
    """Alerts and where their loop stands."""

    def with_loop(self) -> Self:
        """Annotate each alert with ``acknowledged_at``, ``acknowledged_by`` and ``closed_at``."""
        steps = AlertEvent.objects.filter(alert=OuterRef("pk"))
        acknowledged = steps.filter(kind=AlertEvent.Kind.ACKNOWLEDGED).order_by("pk")
        return self.annotate(
            acknowledged_at=Subquery(acknowledged.values("at")[:1]),
            acknowledged_by=Subquery(acknowledged.values("recorded_by__display_name")[:1]),
            closed_at=Subquery(steps.filter(kind=AlertEvent.Kind.CLOSED).order_by("pk").values("at")[:1]),
        )

    def open_at(self, at: datetime) -> Self:
        """Return the alerts raised by ``at`` that nobody had closed by then."""
        closed = AlertEvent.objects.filter(alert=OuterRef("pk"), kind=AlertEvent.Kind.CLOSED, at__lte=at)
        return self.filter(at__lte=at).exclude(Exists(closed))

    def owned_by(self, role: str, at: datetime) -> Self:
        """Return the alerts whose owner is ``role``, with those that passed to it because their deadline did."""
        answered = AlertEvent.objects.filter(alert=OuterRef("pk"), kind=AlertEvent.Kind.ACKNOWLEDGED, at__lte=at)
        passed_on = Q(backup_role=role, due_at__lt=at) & ~Q(Exists(answered))
        return self.filter(Q(owner_role=role) | passed_on)


class Alert(AuthoredRow):
    """Something a person must look at today. ``at`` is when it was raised; what became of it stands in its events.

    ``owner_role`` must answer by ``due_at``; after that ``backup_role`` owns it too. ``due_at`` is empty while the
    clinic's escalation policy is not signed: then there is no clock, and the alert is for now.
    """

    class Kind(models.TextChoices):
        """What raised it."""

        SUICIDE_ITEM = "suicide_item", "Suicide item"
        ITEM_UNDECIDED = "item_undecided", "Suicide item left open"
        WORSENING = "worsening", "Worse after a session"

    class Priority(models.TextChoices):
        """How much it stands out."""

        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    priority = models.CharField(max_length=10, choices=Priority.choices)
    title = models.CharField(max_length=200)
    value = models.CharField(max_length=80)
    rule_id = models.CharField(max_length=40)
    rule_version = models.PositiveSmallIntegerField()
    answer = models.ForeignKey(ScaleAnswer, on_delete=models.PROTECT, related_name="alerts")
    decision = models.ForeignKey(StoredDecision, on_delete=models.PROTECT, related_name="+")
    owner_role = models.CharField(max_length=20, choices=Role.choices)
    backup_role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:  # set by ``with_loop``
        acknowledged_at: datetime | None
        acknowledged_by: str | None
        closed_at: datetime | None

    objects = AlertQuerySet.as_manager()  # type: ignore[misc]  # a richer query set than the base class has

    class Meta:
        ordering = ["due_at", "at", "pk"]
        indexes = [models.Index(fields=["clinic", "-at"]), models.Index(fields=["patient", "-at"])]
        constraints = [
            models.UniqueConstraint(fields=["answer", "kind"], name="one_alert_per_answer_and_kind"),
            one_author("alert"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertEvent(ClinicalRow):
    """One step of the loop of an alert: acknowledged by name, a note, closed with an outcome."""

    class Kind(models.TextChoices):
        """The step."""

        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTE = "note", "Note"
        CLOSED = "closed", "Closed"

    class Outcome(models.TextChoices):
        """What came of it; recorded when it is closed."""

        ASSESSED_SAFE = "assessed", "Assessed in person or by phone; no emergency now"
        PLAN_REVIEWED = "plan_reviewed", "Safety plan reviewed with the patient"
        EMERGENCY = "emergency", "Sent to emergency care or crisis service"
        NOT_REACHED = "not_reached", "Not reached; handed on to emergency services or next of kin"
        IN_ERROR = "in_error", "The answer had been entered in error"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "kind"],
                condition=Q(kind__in=["acknowledged", "closed"]),
                name="acknowledged_and_closed_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.recorded_by.display_name}"
