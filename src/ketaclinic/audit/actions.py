"""Writing the log. Called inside the transaction of the action it describes: no log, no write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, TypedDict, Unpack

from django.db import models, transaction

from ketaclinic.audit import anchor, chain
from ketaclinic.audit.models import ActorKind, AuditEntry, Outcome
from ketaclinic.audit.noted import NOTHING, under_way
from ketaclinic.audit.queries import newest_points


class Actor(Protocol):
    """Whoever acts: a member of staff; a patient or caregiver says so with ``actor_kind``."""

    @property
    def pk(self) -> int | None:
        """The person's number among those of their kind."""
        ...

    @property
    def clinic_id(self) -> int | None:
        """The clinic in whose chain it is written; ``None``: the installation's."""
        ...

    @property
    def role(self) -> str:
        """What the person is to the clinic."""
        ...


_LENGTHS = {
    field.attname: field.max_length
    for field in AuditEntry._meta.concrete_fields
    if isinstance(field, models.CharField) and field.max_length
}


class Told(TypedDict, total=False):
    """What an entry may say beside who did what, and when."""

    patient_id: int | None
    obj: models.Model | None
    reason: str
    fields: Iterable[str]
    outcome: Outcome
    clinic_id: int | None


def write_audit(action: str, *, by: Actor | None, at: datetime, **told: Unpack[Told]) -> AuditEntry:
    """Add one entry; ``obj`` is what the action made or touched, ``fields`` the names of what was changed or shown.

    Without ``by`` Ketaclinic itself acted, in the chain of ``clinic_id`` or else of the installation. Locks on rows
    are taken before this is called: on PostgreSQL it holds the clinic's chain to the end of the transaction.
    """
    return append_entry(columns_of(action, by=by, at=at, **told))


def columns_of(action: str, *, by: Actor | None, at: datetime, **told: Unpack[Told]) -> dict[str, Any]:
    """Return an entry as it is about to be written, with where the running request comes from."""
    noted = under_way() or NOTHING
    if noted is not NOTHING:
        noted.written += 1
    obj = told.get("obj")
    return {
        "at": at,
        **who(by, told.get("clinic_id")),
        "action": action,
        "outcome": told.get("outcome", Outcome.DONE).value,
        "patient_id": told.get("patient_id"),
        "object_type": obj._meta.label if obj is not None else "",
        "object_id": str(obj.pk) if obj is not None else "",
        "fields": " ".join(told.get("fields", ())),
        "reason": told.get("reason", ""),
        "route": noted.route,
        "from_address": noted.from_address,
        "device": noted.device,
        "request_id": noted.request_id,
    }


def accept_anchor(*, at: datetime, reason: str) -> None:
    """Go on from what the database holds now, after a restore or a lost anchor; the log and the history tell of it."""
    chains, standing = newest_points(at), anchor.heads()
    for point in chains:
        if point.clinic_id not in standing:
            anchor.accept(point, "although the anchor was lost")
    for clinic_id in {None, *(point.clinic_id for point in chains)}:
        write_audit("accept_anchor", by=None, at=at, clinic_id=clinic_id, reason=reason)
    for point in newest_points(at):
        anchor.accept(point, "as it stands")


def anchor_again(at: datetime) -> None:
    """Anchor what was committed when a server ended before it could; the history tells that it was caught up."""
    heads = anchor.heads()
    for point in newest_points(at):
        head = heads.get(point.clinic_id)
        if head is not None and head.seq < point.seq:
            anchor.advance(point, note="caught-up")


def who(by: Actor | None, clinic_id: int | None = None) -> dict[str, Any]:
    """Return the columns that say who acts, and in which chain it stands."""
    if by is None:
        kind = ActorKind.SYSTEM.value
        return {"clinic_id": clinic_id, "actor_kind": kind, "actor_id": None, "actor_role": ""}
    kind = str(getattr(by, "actor_kind", ActorKind.STAFF.value))
    return {"clinic_id": by.clinic_id, "actor_kind": kind, "actor_id": by.pk, "actor_role": by.role}


def append_entry(columns: dict[str, Any]) -> AuditEntry:
    """Put one entry behind the newest of its chain, and move the anchor once it is committed."""
    values = [_fitting(name, columns.get(name)) for name in chain.FIELDS]
    key, seq, previous_hash, own_hash = chain.append(values)
    point = anchor.Point(values[0], seq, own_hash, anchor.written(columns.get("written_late_at") or columns["at"]))
    if seq == 1:
        anchor.begin(point.clinic_id, point.at)
    transaction.on_commit(lambda: anchor.advance(point, previous_hash))
    entry = AuditEntry(
        pk=key, seq=seq, previous_hash=previous_hash, hash=own_hash, **dict(zip(chain.FIELDS, values, strict=True))
    )
    entry._state.adding = False
    return entry


def _fitting(name: str, value: Any) -> Any:
    """Return a value that every database takes: an entry is never refused for what somebody typed."""
    if not isinstance(value, str):
        return value
    clean = value.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean[: _LENGTHS.get(name, len(clean))]
