"""The medical director's signature under one version of one rule."""

from __future__ import annotations

from django.db import models

from ketaclinic.audit.models import AppendOnly, AppendOnlyQuerySet
from ketaclinic.people.models import Clinic, Staff


class PolicyQuerySet(AppendOnlyQuerySet):
    """Signatures of one clinic."""

    def of(self, clinic: Clinic) -> PolicyQuerySet:
        """Return the rows of one clinic."""
        return self.filter(clinic=clinic)


class PolicySignature(AppendOnly):
    """Signed, or withdrawn: the newest row for a rule and version counts."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    rule_id = models.CharField(max_length=40)
    rule_version = models.PositiveIntegerField()
    signed = models.BooleanField(default=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.TextField(blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["clinic", "rule_id", "-at"])]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.rule_version} {'signed' if self.signed else 'withdrawn'}"
