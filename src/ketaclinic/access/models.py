"""Invitations, signed-in browsers, and attempts that failed."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from ketaclinic.people.models import Staff, User


class Invitation(models.Model):
    """A one-time link through which a person chooses their own password and second factor.

    Only the hash of the link's token is kept: whoever reads the database cannot use it. ``purpose`` says what the
    link is for; the person it belongs to is any ``User``, whatever their place.
    """

    class Purpose(models.TextChoices):
        """Why the person gets a link."""

        JOIN = "join", "A new place"
        RETURN = "return", "A place opened again"
        RECOVER = "recover", "Password or second factor lost"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, until {self.expires_at:%Y-%m-%d %H:%M}"

    def open_at(self, at: datetime) -> bool:
        """Return whether the link can still be used."""
        return self.used_at is None and self.withdrawn_at is None and at < self.expires_at


class Presence(models.Model):
    """One signed-in browser: who, since when, last active when, locked or not, confirmed when.

    Without its row a session is nobody's: deleting the row signs the browser out at its next request. ``standing``
    is what the person was to the clinic at sign-in; when that changes the session ends.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="presences")
    session_key = models.CharField(max_length=40, unique=True)
    """The key of the session's row (``store.row_key``), not that of the cookie."""
    standing = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    last_active_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()
    locked_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=45)
    device = models.CharField(max_length=80)

    class Meta:
        ordering = ["-last_active_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.device}, since {self.started_at:%Y-%m-%d %H:%M}"


class FailedAttempt(models.Model):
    """An attempt to prove who one is that failed. What was typed is kept as a keyed hash: people type passwords there.

    ``person`` stands for the user name, or for the passkey where one was used without a name. ``device`` is empty
    unless the browser had signed this person in before; without a name, unless it had signed anybody in.
    """

    at = models.DateTimeField()
    way = models.CharField(max_length=12)
    person = models.CharField(max_length=32)
    address = models.CharField(max_length=45)
    device = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "at"]),
            models.Index(fields=["address", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.way}"
