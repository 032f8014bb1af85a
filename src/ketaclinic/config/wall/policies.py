"""What each table asks of who reads and writes it, made from the registry of models: none can be forgotten.

* a row with a clinic belongs to it; what it names (a patient, a plan) must belong there as well
* a row without one hangs on rows that have one, and is seen with them
* the clinic, and a person's place in it, are seen by that person before the clinic is known
* a table of ``OPEN`` holds nothing of a clinic; any other table answers nobody
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from django.apps import apps
from django.conf import settings
from django.db import models

OPEN = {
    "sessions": (
        "SELECT, INSERT, UPDATE, DELETE",
        "found by a hash of a key that nobody can guess, before anybody is known",
    ),
    "record.writetrial": ("SELECT, INSERT, UPDATE, DELETE", "holds a moment, to learn whether writing works again"),
    "access.failedattempt": (
        "SELECT, INSERT, UPDATE, DELETE",
        "counted before anybody is known; what was typed is kept as a keyed hash",
    ),
    "contenttypes": ("SELECT", "names of models"),
    "auth": ("SELECT", "permissions of Django, which no role here uses"),
    "sites": ("SELECT", "the name of the server"),
}
"""Models and applications whose tables without a clinic are outside the wall: what the server may do there, and why."""

HERE, WHO = "(SELECT ketaclinic_clinic())", "(SELECT ketaclinic_user())"
ALL, NONE = "SELECT, INSERT, UPDATE, DELETE", ""

Model = type[models.Model]


@dataclass(frozen=True, slots=True)
class Policy:
    """What one table asks: conditions in SQL, and what the server's role is granted on it.

    ``read`` and ``write`` say which rows; ``add`` and ``change`` what a new or changed row must hold. ``walled`` is
    false for a table outside the wall.
    """

    table: str
    read: str = "false"
    write: str = "false"
    add: str = "false"
    change: str = "false"
    grant: str = NONE
    walled: bool = True


@dataclass(frozen=True)
class House:
    """All tables and how they hang together."""

    models: list[Model] = field(default_factory=lambda: [m for m in apps.get_models(True) if m._meta.managed])

    @cached_property
    def clinic(self) -> Model:
        """The table of clinics."""
        return apps.get_model("people", "Clinic")

    @cached_property
    def user(self) -> Model:
        """The table of sign-ins."""
        return apps.get_model(settings.AUTH_USER_MODEL)

    @cached_property
    def behind(self) -> frozenset[Model]:
        """Every model behind the wall: with a clinic, or hanging on one that is behind it."""
        found = {self.clinic, self.user} | {model for model in self.models if clinic_column(model)}
        while True:
            more = {m for m in self.models if any(key.related_model in found for key in keys_of(m))} - found
            if not more:
                return frozenset(found)
            found |= more

    @cached_property
    def places(self) -> list[tuple[Model, str]]:
        """Models that give a user a place in a clinic, with the column of the user: one row for one user.

        What merely names a user (a request that was sent) is no place.
        """
        named = [(m, key) for m in self.models if clinic_column(m) for key in keys_of(m)]
        mine = [(model, key) for model, key in named if key.related_model is self.user]
        return [(model, str(key.column)) for model, key in mine if isinstance(key, models.OneToOneField)]

    def policies(self) -> list[Policy]:
        """Return what every table asks, by name."""
        return sorted((self._policy(model) for model in self.models), key=lambda policy: policy.table)

    def _policy(self, model: Model) -> Policy:
        if model is self.clinic:
            return self._of_clinics()
        if model is self.user:
            return self._of_users()
        if clinic_column(model):
            return self._of_a_clinic(model)
        if model in self.behind:
            return self._hanging(model)
        table, reason = model._meta.db_table, why_open(model)
        return Policy(table, grant=reason[0], walled=False) if reason else Policy(table)

    def _of_clinics(self) -> Policy:
        table = self.clinic._meta.db_table
        own = f"{table}.id = {HERE}"
        mine = [
            f"EXISTS (SELECT 1 FROM {p._meta.db_table} p WHERE p.{clinic_column(p)} = {table}.id AND p.{user} = {WHO})"
            for p, user in self.places
        ]
        return Policy(table, " OR ".join([own, *mine, _opened(table)]), own, own, own, "SELECT, UPDATE")

    def _of_users(self) -> Policy:
        table = self.user._meta.db_table
        placed = [f"EXISTS (SELECT 1 FROM {p._meta.db_table} p WHERE p.{user} = {table}.id)" for p, user in self.places]
        seen = " OR ".join([f"{table}.id = {WHO}", *placed, _opened(table)])
        return Policy(table, seen, seen, seen, seen, "SELECT, INSERT, UPDATE")

    def _of_a_clinic(self, model: Model) -> Policy:
        table = model._meta.db_table
        own = f"{table}.{clinic_column(model)} = {HERE}"
        users = [f"{table}.{column} = {WHO}" for place, column in self.places if place is model]
        named = [
            _names_what_is_seen(table, key)
            for key in keys_of(model)
            if key.related_model in self.behind and key.related_model not in (self.clinic, self.user)
        ]
        opened = _opened(table)
        add = f"{opened} OR ({' AND '.join([own, *named])})"
        return Policy(table, " OR ".join([own, *users, opened]), f"{own} OR {opened}", *_kept(model, add))

    def _hanging(self, model: Model) -> Policy:
        table = model._meta.db_table
        hangs = [_names_what_is_seen(table, key) for key in keys_of(model) if key.related_model in self.behind]
        if self.user in {key.related_model for key in keys_of(model)}:
            hangs.append(f"NOT {_opened(self.user._meta.db_table)}")  # finding a name opens nobody's second factor
        seen = f"{_opened(table)} OR ({' AND '.join(hangs)})"
        return Policy(table, seen, seen, *_kept(model, seen))


def why_open(model: Model) -> tuple[str, str] | None:
    """Return what the server may do with a table outside the wall and why, or ``None`` for one that is not listed."""
    return OPEN.get(model._meta.label_lower) or OPEN.get(model._meta.app_label)


def keys_of(model: Model) -> list[models.ForeignKey[models.Model, models.Model]]:
    """Return the foreign keys of a model."""
    return [f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)]


def clinic_column(model: Model) -> str:
    """Return the column that names the clinic of a row, or nothing."""
    return next((str(f.column) for f in model._meta.concrete_fields if f.column == "clinic_id"), "")


def _opened(table: str) -> str:
    return f"(SELECT ketaclinic_opened('{table}'))"


def _names_what_is_seen(table: str, key: models.ForeignKey[models.Model, models.Model]) -> str:
    there = key.related_model._meta
    seen = f"EXISTS (SELECT 1 FROM {there.db_table} x WHERE x.{there.pk.column} = {table}.{key.column})"
    if there.db_table == table:  # PostgreSQL takes no policy that reads its own table, unless a function does
        seen = f"ketaclinic_seen('{table}', {table}.{key.column})"
    return f"({table}.{key.column} IS NULL OR {seen})" if key.null else seen


def _kept(model: Model, add: str) -> tuple[str, str, str]:
    """Return what a new and a changed row must hold, and the grant.

    What is only added to can be locked, but not changed: PostgreSQL asks for the right to update one column before it
    locks a row, and the policy refuses the update itself.
    """
    if not getattr(model, "only_added_to", False):
        return add, add, ALL
    return add, "false", f"SELECT, INSERT, UPDATE ({model._meta.pk.column})"
