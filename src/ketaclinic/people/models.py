"""Clinics, users, staff, patients, caregivers."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.config.wall.standing import opened
from ketaclinic.people.permissions import ROLE_PERMISSIONS, OwnRole, Permission, Role, may

if TYPE_CHECKING:
    from typing import Self


class User(AbstractUser):
    """A sign-in. What the person may do hangs on their place in a clinic, not on this row."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row. A new one has no place yet, so no clinic sees it: the second wall is opened for it."""
        with opened(User) if self._state.adding else nullcontext():
            super().save(*args, **kwargs)


class Clinic(models.Model):
    """One clinic: where it is, which rules hold there, whether it is REMS-certified."""

    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="America/New_York")
    jurisdiction = models.CharField(
        max_length=8, default="US", validators=[RegexValidator(r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
    )
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    emergency_contact = models.CharField(
        max_length=120,
        help_text="Whom patients call outside opening hours; printed on every aftercare sheet.",
    )
    rems_certified_on = models.DateField(null=True, blank=True)
    rems_certified_until = models.DateField(null=True, blank=True)
    chairs = models.PositiveSmallIntegerField(default=6)
    synthetic = models.BooleanField(default=False)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey("Staff", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)

    def day_of(self, at: datetime) -> date:
        """Return the clinic's calendar day of a moment."""
        return at.astimezone(self.zone).date()

    def rems_certified(self, on: date) -> bool | None:
        """Return whether the certification covers ``on``; ``None`` when none was recorded."""
        if self.rems_certified_on is None:
            return None
        until = self.rems_certified_until
        return self.rems_certified_on <= on and (until is None or on <= until)


class ClinicQuerySet(models.QuerySet[Any]):
    """Rows that belong to a clinic."""

    def of(self, clinic: Clinic) -> Self:
        """Return the rows of one clinic; every read starts here."""
        return self.filter(clinic=clinic)


class Staff(models.Model):
    """A person's place in one clinic."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="staff")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="staff")
    role = models.CharField(max_length=20, choices=Role.choices)
    display_name = models.CharField(max_length=120)
    is_medical_director = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    synthetic = models.BooleanField(default=False)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = ClinicQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "staff"

    def __str__(self) -> str:
        return self.display_name

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything this person may do."""
        return ROLE_PERMISSIONS[Role(self.role)] if self.is_active else frozenset()

    def may(self, permission: Permission) -> bool:
        """Return whether this person may do it."""
        return self.is_active and may(self.role, permission)

    def emergency_for(self, patient_pk: int, at: datetime) -> EmergencyAccess | None:
        """Return the emergency access to one patient's chart that is open at ``at``, if this person has one."""
        mine = EmergencyAccess.objects.of(self.clinic).filter(by=self, patient_id=patient_pk)
        found: EmergencyAccess | None = mine.open_at(at).order_by("-at", "-pk").first()
        return found


class Patient(models.Model):
    """A person in the clinic's care. Identity only: everything clinical stands in the rooms of the pathway."""

    class Sex(models.TextChoices):
        """Administrative gender as FHIR names it."""

        FEMALE = "female", "female"
        MALE = "male", "male"
        OTHER = "other", "other"
        UNKNOWN = "unknown", "unknown"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    record_number = models.CharField(max_length=20)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    birth_date = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=5, default="en")
    deceased_on = models.DateField(null=True, blank=True)
    registered_at = models.DateTimeField()
    synthetic = models.BooleanField(default=False)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "pk"]
        constraints = [models.UniqueConstraint(fields=["clinic", "record_number"], name="one_record_number_per_clinic")]
        indexes = [models.Index(fields=["clinic", "family_name", "given_name"])]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return (self.given_name[:1] + self.family_name[:1]).upper()

    def age_on(self, on: date) -> int:
        """Return the age in completed years on ``on``."""
        born = self.birth_date
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


class PatientIdentifier(models.Model):
    """What another system calls this patient; importing again finds the same person by it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    system = models.CharField(max_length=200)
    value = models.CharField(max_length=200)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "system", "value"], name="one_patient_per_identifier")]

    def __str__(self) -> str:
        return f"{self.system}|{self.value}"


class Caregiver(models.Model):
    """Someone who looks after the patient: may fetch them, may be called."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="caregivers")
    name = models.CharField(max_length=120)
    relationship = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    may_escort = models.BooleanField(default=True)
    synthetic = models.BooleanField(default=False)

    objects = ClinicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class CorrectionQuerySet(AppendOnlyQuerySet):
    """Corrections of one clinic."""

    def of(self, clinic: Clinic) -> Self:
        """Return the rows of one clinic; every read starts here."""
        return self.filter(clinic=clinic)


class PatientCorrection(AppendOnly):
    """One field of a patient's identity that was corrected: the old value, who, when and why are kept.

    With a ``caregiver`` the field is one of theirs; then the reason may be empty.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="corrections")
    caregiver = models.ForeignKey(Caregiver, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    field = models.CharField(max_length=40)
    old_value = models.CharField(max_length=200, blank=True)
    new_value = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "-at"])]

    def __str__(self) -> str:
        return f"{self.field}: {self.old_value} → {self.new_value}"


class PersonalAccess(models.Model):
    """The sign-in of a patient, or of one of the patient's caregivers. It opens what is about this one patient.

    It acts like a member of staff (``pk``, ``clinic_id``, ``role``, ``may``), with permissions of its own. Withdrawn
    access is kept and closed, never deleted: what the person wrote names it.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="own")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="accesses")
    caregiver = models.OneToOneField(Caregiver, on_delete=models.PROTECT, null=True, blank=True, related_name="access")
    is_active = models.BooleanField(default=True)
    synthetic = models.BooleanField(default=False)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "personal accesses"
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=models.Q(caregiver__isnull=True), name="one_own_access_per_patient"
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def role(self) -> str:
        """What the person is: the patient, or somebody who looks after them."""
        return OwnRole.PATIENT if self.caregiver_id is None else OwnRole.CAREGIVER

    @property
    def actor_kind(self) -> str:
        """What the audit log calls the person; a member of staff says nothing."""
        return self.role

    @property
    def display_name(self) -> str:
        """The person's name as others see it."""
        return str(self.patient) if self.caregiver is None else self.caregiver.name

    def get_role_display(self) -> str:
        """Return the role as people say it."""
        return str(OwnRole(self.role).label)

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything this person may do."""
        return ROLE_PERMISSIONS[self.role] if self.is_active else frozenset()

    def may(self, permission: Permission) -> bool:
        """Return whether this person may do it."""
        return self.is_active and may(self.role, permission)


Person = Staff | PersonalAccess
"""Whoever acts: a member of staff, or a patient or caregiver about their own care."""


class EmergencyQuerySet(CorrectionQuerySet):
    """Emergency accesses of one clinic."""

    def open_at(self, at: datetime) -> Self:
        """Return those that are open at ``at``: each closes by itself, unless somebody closed it before."""
        return self.filter(at__lte=at, until__gt=at).exclude(closing__at__lte=at)

    def unreviewed(self) -> Self:
        """Return those that nobody has looked at yet."""
        return self.filter(review__isnull=True)


class EmergencyAccess(AppendOnly):
    """A member of staff opened a chart their role may not see, because somebody was in danger.

    One patient, reading only, from ``at`` to ``until`` or until it is closed. It stays on the first page of the manager
    and the medical director until somebody other than ``by`` has reviewed it.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="emergencies")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()
    until = models.DateTimeField()

    objects = EmergencyQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["by", "patient", "-until"]), models.Index(fields=["clinic", "-at"])]
        verbose_name_plural = "emergency accesses"

    def __str__(self) -> str:
        return f"Emergency access by {self.by} on {self.at:%Y-%m-%d %H:%M}"

    @property
    def ends_at(self) -> datetime:
        """When it ends or has ended; to be read with ``closing``."""
        closing: EmergencyClosing | None = getattr(self, "closing", None)
        return self.until if closing is None else closing.at


class EmergencyClosing(AppendOnly):
    """Somebody closed an emergency access before its time was over."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    access = models.OneToOneField(EmergencyAccess, on_delete=models.PROTECT, related_name="closing")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = CorrectionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Closed by {self.by} on {self.at:%Y-%m-%d %H:%M}"


class EmergencyReview(AppendOnly):
    """What somebody else made of an emergency access."""

    class Outcome(models.TextChoices):
        """Whether it was right to open the chart."""

        JUSTIFIED = "justified", "It was justified"
        NOT_JUSTIFIED = "not_justified", "It was not justified; it is followed up"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    access = models.OneToOneField(EmergencyAccess, on_delete=models.PROTECT, related_name="review")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    note = models.TextField()
    at = models.DateTimeField()

    objects = CorrectionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}, reviewed by {self.by}"
