"""Reads of aftercare, always within one clinic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from ketaclinic.aftercare.models import InstructionsGiven, NextDayContact
from ketaclinic.people.models import Clinic
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.models import CLOSING_KINDS, GIVING_KINDS, Session, SessionEvent
from ketacore.aftercare import contact_due_on
from ketacore.treatment import EventKind

LOOK_BACK = timedelta(days=14)
"""How long a contact that nobody made stays on the list."""


@dataclass(frozen=True, slots=True)
class ContactDue:
    """A patient to contact after a session."""

    session: Session
    due_on: date
    tried: int


def instructions_of(session: Session) -> QuerySet[InstructionsGiven]:
    """Return the sheets given in a session, newest first."""
    rows = InstructionsGiven.objects.of(session.clinic).current().filter(session=session)
    return rows.select_related("recorded_by").order_by("-at", "-pk")


def contacts_of(session: Session) -> QuerySet[NextDayContact]:
    """Return the contacts after a session, newest first."""
    rows = NextDayContact.objects.of(session.clinic).current().filter(session=session)
    return rows.select_related("recorded_by").order_by("-at", "-pk")


def contacts_due(clinic: Clinic, at: datetime) -> list[ContactDue]:
    """Return whom to contact by today and who was not reached yet, oldest first; empty while the policy is unsigned.

    Whoever was given drug and left without release, or was taken to hospital, is asked like everybody else.
    """
    reached = NextDayContact.objects.of(clinic).current().filter(session=OuterRef("session"), outcome="reached")
    mine = SessionEvent.objects.filter(session=OuterRef("session"), at__lte=at).standing()
    released = mine.filter(kind=EventKind.DISCHARGED.value)
    stopped = Q(kind=EventKind.STOPPED.value) & Exists(mine.filter(kind__in=GIVING_KINDS)) & ~Exists(released)
    left = (
        SessionEvent.objects.of(clinic)
        .filter(kind__in=CLOSING_KINDS, at__lte=at, at__gt=at - LOOK_BACK)
        .filter(Q(kind=EventKind.DISCHARGED.value) | stopped)
        .standing()
        .exclude(Exists(reached))
        .select_related("session", "session__patient", "session__clinic")
        .prefetch_related("session__contacts")
        .order_by("at", "pk")
    )
    setting = setting_of(clinic, at)
    found = []
    for event in left:
        due_on = contact_due_on(event.at, clinic.zone, setting)
        if due_on is not None and due_on <= clinic.day_of(at):
            found.append(ContactDue(event.session, due_on, len(event.session.contacts.all())))
    return found
