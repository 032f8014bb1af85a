"""Reading leaves a trace: one entry for a page about a patient, for a list, for what was refused or not found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse

from ketaclinic.audit.actions import who
from ketaclinic.audit.content import content_of
from ketaclinic.audit.models import ActorKind, Outcome
from ketaclinic.audit.noted import Noted, Opened, begin, end, under_way
from ketaclinic.audit.queries import read_since
from ketaclinic.audit.spool import spool

SHOWN_AGAIN = timedelta(minutes=15)
"""A page that renews itself leaves one entry per device, page and object in this time."""
KNOCKED_AGAIN = timedelta(minutes=1)
"""A stranger who is refused leaves one entry per address and page in this time: the log is no way to fill the disk."""
REMEMBERED = 5_000
_TURNED_DOWN = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.PRECONDITION_FAILED)
_NOBODY = {"clinic_id": None, "actor_kind": ActorKind.UNKNOWN.value, "actor_id": None, "actor_role": ""}


class Reads:
    """Writes what a request opened, once its answer is there.

    Stands right behind ``WhoAndWhen``, and outside of whatever opens a transaction for the request: the entry of a
    refused request is kept although the request is rolled back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._lately: dict[tuple[object, ...], datetime] = {}
        self._lock = Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then write down what it opened."""
        noted = begin(request)
        try:
            response = self.get_response(request)
            for told in _told(request, noted, response.status_code):
                self._write(request, noted, told)
            return response
        finally:
            end()

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Note where the request goes, before anybody refuses it."""
        noted, match = under_way(), request.resolver_match
        if noted is not None and match is not None:
            noted.route = match.view_name

    def _write(self, request: HttpRequest, noted: Noted, told: dict[str, Any]) -> None:
        at: datetime = request.at  # type: ignore[attr-defined]
        actor = _actor_of(request)
        # Of a stranger no object counts: whoever tries one number after the other could fill the disk.
        about = (told["patient_id"], told["object_id"]) if actor is not None else ()
        key = (noted.device or noted.from_address, noted.route, told["outcome"], *about)
        hold = _told_again_after(request, actor, told)
        if hold is not None and self._was_written(key, at - hold, actor, noted, told):
            return
        self._remember(key, at)
        columns = who(actor) if actor is not None else _NOBODY
        where = {name: getattr(noted, name) for name in ("route", "from_address", "device", "request_id")}
        spool.write({"at": at, **columns, "fields": content_of(noted.route), "reason": "", **told, **where}, at)

    def _was_written(
        self, key: tuple[object, ...], since: datetime, actor: Any, noted: Noted, told: dict[str, Any]
    ) -> bool:
        """Return whether such an entry was written lately, by this process or by another one."""
        last = self._lately.get(key)
        if last is not None and last > since:
            return True
        return actor is not None and read_since(since, actor.clinic_id, noted, told)

    def _remember(self, key: tuple[object, ...], at: datetime) -> None:
        with self._lock:
            if len(self._lately) >= REMEMBERED:
                self._lately = {k: when for k, when in self._lately.items() if when > at - SHOWN_AGAIN}
            self._lately[key] = at


def _actor_of(request: HttpRequest) -> Any:
    return getattr(request, "staff", None) or getattr(request, "own", None)


def _told_again_after(request: HttpRequest, actor: Any, told: dict[str, Any]) -> timedelta | None:
    """Return how long the same is not written again; ``None``: every time, as whatever a known person tries in vain."""
    if actor is None:
        return KNOCKED_AGAIN
    return SHOWN_AGAIN if told["outcome"] == Outcome.DONE.value and _renews_itself(request) else None


def _renews_itself(request: HttpRequest) -> bool:
    """Return whether the page asked for this by itself: a declared poll, and not a person who opens its address."""
    match = request.resolver_match
    polling = match is not None and getattr(match.func, "polling", False)
    return bool(polling and request.headers.get("HX-Request"))


def _told(request: HttpRequest, noted: Noted, status: int) -> list[dict[str, Any]]:
    """Return what an answer with this status has to be told of: nothing, or one entry, or one for each patient."""
    if status == HTTPStatus.NOT_FOUND:
        return [_attempt(one, Outcome.NOT_FOUND, noted) for one in noted.missing[:1]]
    if status == HTTPStatus.FORBIDDEN:
        return [_attempt(_asked_for(request, noted), Outcome.REFUSED, noted)]
    writing = request.method not in ("GET", "HEAD")
    if writing and (outcome := _failed(status)) is not None:
        return [_attempt(one, outcome, noted) for one in _by_patient(noted)]
    if status >= HTTPStatus.MULTIPLE_CHOICES or (writing and noted.written):
        return []
    if found := _by_patient(noted):
        return [_entry("read_chart", one, Outcome.DONE) for one in found]
    if noted.people is None:
        return []
    return [{**_entry("read_list", Opened("people.Patient", ""), Outcome.DONE), "reason": f"{noted.people} people"}]


def _failed(status: int) -> Outcome | None:
    if status in _TURNED_DOWN:
        return Outcome.REFUSED
    return Outcome.FAILED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def _by_patient(noted: Noted) -> list[Opened]:
    """Return the narrowest object that was opened of each patient."""
    return list({one.patient_id: one for one in noted.opened if one.patient_id is not None}.values())


def _asked_for(request: HttpRequest, noted: Noted) -> Opened:
    """Return what a refused request was about: what it opened, else the keys in its address."""
    if noted.opened:
        return noted.opened[-1]
    match = request.resolver_match
    keys = {name: value for name, value in (match.kwargs if match else {}).items() if isinstance(value, int)}
    return Opened("", " ".join(f"{name}={value}" for name, value in keys.items()))


def _attempt(one: Opened, outcome: Outcome, noted: Noted) -> dict[str, Any]:
    owner = one.patient_id or next((o.patient_id for o in noted.opened if o.patient_id is not None), None)
    return _entry("attempt", Opened(one.object_type, one.object_id, owner), outcome)


def _entry(action: str, one: Opened, outcome: Outcome) -> dict[str, Any]:
    return {
        "action": action,
        "outcome": outcome.value,
        "patient_id": one.patient_id,
        "object_type": one.object_type,
        "object_id": one.object_id,
    }
