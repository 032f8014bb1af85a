"""Two people changing the same thing: nobody's change is written over unseen.

A view that changes something existing is declared with ``edits(standing)``. ``standing`` says what stands now, field by
field, who wrote it and when. What the person saw when the form was drawn comes from one of two places: from the row
that the address names, where corrections are new rows and the old one never changes; or from ``seen``, a signed hidden
field with the values that were shown. Where the two differ, nothing is written: the person is shown both values, and
may go on deliberately with what they typed. What they had left as it was follows the newer value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from ketaclinic.people.answers import wants_json
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.queries import patient_in

FIELD = "seen"
_SALT = "what a form showed"
_NOT_TYPED = ("csrfmiddlewaretoken", "intent_key", "drawn_for", FIELD)
CHANGED = HTTPStatus.CONFLICT
NOT_SAID = HTTPStatus.PRECONDITION_REQUIRED

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Shown:
    """One field: its name and label, its value as a form sends it, and words for values that are codes.

    ``check`` is a box that is sent only when ticked; ``many`` a choice of several, joined by commas.
    """

    name: str
    label: str
    value: str
    words: Mapping[str, str] = field(default_factory=dict)
    check: bool = False
    many: bool = False

    def told(self, value: str | None) -> str:
        """Return a value in words."""
        if value is None:
            return "not changed by you"
        if self.check:
            return "yes" if value else "no"
        parts = value.split(",") if self.many else [value]
        return ", ".join(self.words.get(part, part) for part in parts) or "empty"


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands now: the fields, who wrote them last and when.

    ``was`` holds the values of the row that the address names, where that row no longer stands; ``None`` where the
    form itself has to say what it showed. ``go_on`` is where going on leads, empty for the same address; ``leave``
    where leaving it as it is leads. ``settled`` says why nobody can go on any more.
    """

    shown: Sequence[Shown]
    by: Staff | None = None
    at: datetime | None = None
    patient: Patient | None = None
    was: Mapping[str, str] | None = None
    go_on: str = ""
    leave: str = ""
    settled: str = ""

    @property
    def values(self) -> dict[str, str]:
        """Every field's value as it stands."""
        return {shown.name: shown.value for shown in self.shown}

    def token(self) -> str:
        """Return the hidden field's value for a form that shows this."""
        return signing.dumps(self.values, salt=_SALT, compress=True)


@dataclass(frozen=True, slots=True)
class Edits:
    """How a view says what stands; ``token``: its forms carry what they showed; ``fields``: posted names it needs."""

    standing: Callable[..., Standing | None]
    token: bool
    fields: tuple[str, ...]


def last_change(row: Any) -> tuple[Staff | None, datetime | None]:
    """Return who wrote a row and when; nobody and never for no row."""
    by = getattr(row, "recorded_by", None) or getattr(row, "by", None)
    return by, getattr(row, "recorded_at", None) or getattr(row, "at", None)


def fields_of(form: forms.BaseForm, *names: str) -> tuple[Shown, ...]:
    """Return the fields of an unbound form with what they begin with; all that begin with something unless named."""
    return tuple(_shown(form[name]) for name in names or form.fields)


def _shown(bound: forms.BoundField) -> Shown:
    check = isinstance(bound.field, forms.BooleanField) and not isinstance(bound.field, forms.NullBooleanField)
    value = bound.field.widget.format_value(bound.field.prepare_value(bound.initial))
    if check:
        value = "on" if bound.initial else ""
    many = isinstance(bound.field, forms.MultipleChoiceField)
    if isinstance(value, list):
        value = ",".join(value)
    words = {str(k): str(v) for k, v in getattr(bound.field, "choices", ())}
    return Shown(bound.html_name, str(bound.label), str(value or ""), words, check, many)


def edits(
    standing: Callable[..., Standing | None], *, token: bool = True, fields: tuple[str, ...] = ()
) -> Callable[[View], View]:
    """Declare that a view changes something existing; ``standing(request, **address, **fields)`` says what stands.

    ``token`` is false where the address names a row that never changes: ``standing`` then returns ``None`` while
    that row stands. The check runs in the transaction of the write.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                named = {name: request.POST.get(name, "") for name in fields}
                now = standing(request, **kwargs, **named)
                clash = _clash(request, now) if now is not None else None
                if clash is not None:
                    return clash
            return view(request, *args, **kwargs)

        checked.edits = Edits(standing, token, fields)  # type: ignore[attr-defined]
        return checked

    return declare


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the comparison, in words."""

    label: str
    was: str
    now: str
    typed: str


def _clash(request: HttpRequest, now: Standing) -> HttpResponse | None:
    was = dict(now.was) if now.was is not None else _seen(request)
    if now.was is None and was == now.values:
        return None
    typed = _typed(request, now)
    lines = [
        Line(s.label, s.told(was.get(s.name, "")) if was else "not said", s.told(s.value), _mine(s, was, typed[s.name]))
        for s in now.shown
        if not was or was.get(s.name, "") != s.value or typed[s.name] not in (None, s.value)
    ]
    return _told(request, now, lines, CHANGED if was else NOT_SAID, _kept(request, now, was, typed))


def _mine(shown: Shown, was: Mapping[str, str], typed: str | None) -> str:
    """Return what was typed, or that the field was left alone: then it is no value of theirs."""
    return "left as it was" if was and typed == was.get(shown.name, "") else shown.told(typed)


def _seen(request: HttpRequest) -> dict[str, str]:
    try:
        found: dict[str, str] = signing.loads(str(request.POST.get(FIELD, "")), salt=_SALT)
    except signing.BadSignature:
        return {}
    return found


def _typed(request: HttpRequest, now: Standing) -> dict[str, str | None]:
    """Return what was typed; a box that was not ticked is not sent, so its form tells whether it was there."""
    there = any(s.name in request.POST for s in now.shown if not (s.check or s.many))
    missing = {s.name: "" if (s.check or s.many) and there else None for s in now.shown}
    return {
        s.name: ",".join(request.POST.getlist(s.name)) if s.name in request.POST else missing[s.name] for s in now.shown
    }


def _kept(
    request: HttpRequest, now: Standing, was: Mapping[str, str], typed: Mapping[str, str | None]
) -> list[tuple[str, str]]:
    """Return what going on sends: what was typed, and the newer value of what was left as it was."""
    follow = {s.name: s.value for s in now.shown if was and typed[s.name] == was.get(s.name, "") != s.value}
    kept = [
        (name, str(value))
        for name, values in request.POST.lists()
        if name not in (*_NOT_TYPED, *follow)
        for value in values
    ]
    return kept + [pair for s in now.shown if s.name in follow for pair in _sent(s)]


def _sent(shown: Shown) -> list[tuple[str, str]]:
    if shown.check or shown.many:
        return [(shown.name, value) for value in shown.value.split(",") if value]
    return [(shown.name, shown.value)]


def _told(
    request: HttpRequest, now: Standing, lines: Sequence[Line], status: int, kept: Sequence[tuple[str, str]]
) -> HttpResponse:
    who = f"{now.by} changed it" if now.by is not None else "It was changed"
    because = who if status == CHANGED else "The form did not say what it showed when it was opened"
    if wants_json(request):
        values = [f"{line.label}: now {line.now}, yours {line.typed}" for line in lines]
        do = now.settled or "Look at both values, and send yours again if it is the right one."
        return JsonResponse({"refused": "Saving", "because": [f"{because}.", *values], "do": do}, status=status)
    context = {
        "patient": now.patient,
        "because": because,
        "at_changed": now.at if status == CHANGED else None,
        "lines": lines,
        "kept": kept,
        "seen": now.token(),
        "go_on": now.go_on or request.get_full_path(),
        "leave": now.leave or now.go_on or request.path,
        "settled": now.settled,
    }
    return render(request, "people/changed_meanwhile.html", context, status=status)


def patient_of(request: Any, pk: int) -> Patient:
    """Return the patient of an address; the page that is being drawn has read them already.

    Raises ``Http404`` like ``patient_in``.
    """
    shown = getattr(request, "patient_shown", None)
    return shown if isinstance(shown, Patient) and shown.pk == pk else patient_in(request.clinic, pk)


def seen_value(
    request: HttpRequest, edited: Edits, address: Mapping[str, Any], named: Mapping[str, str], patient: Patient | None
) -> str:
    """Return the hidden field for a form that will be sent to an editing view; empty where none is needed.

    ``patient`` is whom the page that is being drawn is about.
    """
    if not edited.token:
        return ""
    request.patient_shown = patient  # type: ignore[attr-defined]
    now = edited.standing(request, **address, **named)
    return now.token() if now is not None else ""
