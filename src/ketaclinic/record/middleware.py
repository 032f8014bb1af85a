"""One intent, one effect: every write runs in one transaction with the row that says it was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import Error, connection, models, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from ketaclinic.audit.chain import patience
from ketaclinic.audit.noted import entries_written, note_opened
from ketaclinic.design.middleware import refused
from ketaclinic.people.drawn import NOBODY, Crossed, drawn_for
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.people.permissions import Permission, turned_away
from ketaclinic.record import actions, messages, views
from ketaclinic.record.intents import fingerprint, from_a_form, key_of
from ketaclinic.record.queries import intent_of
from ketaclinic.record.trouble import Trouble, standing, trouble_of
from ketacore.evidence import Refusal

ATTEMPTS = 3
_FIRST_PAUSE_S = 0.05
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
FORGET_EVERY = timedelta(hours=1)

View = Callable[..., HttpResponseBase]


class Written:
    """What a request has written: whether anything, and about which patients."""

    def __init__(self) -> None:
        self.rows = 0
        self.patients: set[int] = set()
        self._entries_before = entries_written()

    def note(self, row: models.Model) -> None:
        """Remember one row."""
        self.rows += 1
        patient = row.pk if isinstance(row, Patient) else getattr(row, "patient_id", None)
        if isinstance(patient, int):
            self.patients.add(patient)

    @property
    def anything(self) -> bool:
        """Whether there is an effect: a row that was saved, or what an action told the log of.

        The second finds what only deletes rows or changes them where they lie; no signal tells of that.
        """
        return self.rows > 0 or entries_written() > self._entries_before


_written: ContextVar[Written | None] = ContextVar("written", default=None)


def _note(sender: type[models.Model], instance: models.Model, **more: Any) -> None:
    found = _written.get()
    if found is not None and sender is not Session:
        found.note(instance)


post_save.connect(_note, dispatch_uid="what a request has written")


@contextmanager
def _noting() -> Iterator[Written]:
    found = Written()
    token = _written.set(found)
    try:
        yield found
    finally:
        _written.reset(token)


class OneEffect:
    """Runs every write behind a declared permission once for its key, and gives the first answer ever after.

    Stands last, so that who must sign in or confirm anew never comes this far. Whether the person may is asked by the
    view, and here again before a first answer is repeated. Public routes write nothing about anybody and are left
    alone, as are people who are not signed in: their view sends them to do so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._forgot_at: datetime | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Answer a write; leave everything else to Django."""
        asks, permission = request.method in _SAFE or getattr(view, "asking", False), getattr(view, "permission", None)
        if asks or permission is None or not request.user.is_authenticated:
            return None
        key = key_of(request)
        if not key:
            return views.told(request, views.NO_KEY)
        answer = Write(request, key, permission, lambda: view(request, *args, **kwargs)).answer()
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            self._forget(request.at)  # type: ignore[attr-defined]  # set by WhoAndWhen
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say to a form that only asks, too, that it was opened for somebody else."""
        return views.told(request, views.FOR_SOMEBODY_ELSE) if isinstance(exception, Crossed) else None

    def _forget(self, at: datetime) -> None:
        """Now and then remove old answers; whether that works is no part of anybody's write."""
        if self._forgot_at is not None and at - self._forgot_at < FORGET_EVERY:
            return
        self._forgot_at = at
        with suppress(Error), patience(_ms(_FIRST_PAUSE_S)), transaction.atomic():
            actions.forget_answers(at=at)


class Write:
    """One write: tried until it gets through or its time is up, done once, answered the same for ever."""

    def __init__(
        self, request: HttpRequest, key: str, permission: Permission, run: Callable[[], HttpResponseBase]
    ) -> None:
        self.request, self.key, self.permission, self.run = request, key, permission, run
        self.fingerprint = fingerprint(request)
        self.until = time.monotonic() + settings.WRITE_WAIT_S
        self.session_key = request.session.session_key

    @property
    def left_s(self) -> float:
        """How long this write may still wait."""
        return max(0.0, self.until - time.monotonic())

    def answer(self) -> HttpResponseBase:
        """Return the answer of the view, the first answer, or why it could not be done."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with patience(_ms(self.left_s)):
                    return self._once()
            except Refusal as refusal:
                return refused(self.request, refusal)
            except Crossed:
                return views.told(self.request, views.FOR_SOMEBODY_ELSE)
            except (Error, OSError) as error:
                kind = trouble_of(error)
                if kind is None:
                    raise
                self._start_anew()
                pause = _FIRST_PAUSE_S * 2**attempt
                if kind is Trouble.STORAGE or attempt == ATTEMPTS or self.left_s <= pause:
                    return views.in_trouble(self.request, kind)
                time.sleep(pause)
        raise AssertionError("the last attempt always answers")

    def _once(self) -> HttpResponseBase:
        with _noting() as written, transaction.atomic():
            before = self._before()
            if before is not None:
                return before
            response = self._checked(_rendered(self.run()), written)
            self._settle(response, written)
        if written.anything and response.status_code < HTTPStatus.BAD_REQUEST:
            standing.ends()
        return response

    def _before(self) -> HttpResponseBase | None:
        """Return the answer where this key was used before, after waiting for whoever uses it right now."""
        user: Any = self.request.user
        patient = drawn_for(self.request)
        about = f"patient {patient}" if patient not in (None, NOBODY) else f"address {self.request.path}"
        actions.wait_in_line(f"intent {user.pk} {self.key}", about)
        before = intent_of(user, self.key)
        if before is None:
            return None
        note_opened(before)  # what was answered then is read now
        away = turned_away(self.request, self.permission)
        if away is not None:
            return away
        if before.fingerprint != self.fingerprint:
            return views.told(self.request, views.USED_OTHERWISE)
        return views.said_again(self.request, before)

    def _checked(self, response: HttpResponseBase, written: Written) -> HttpResponseBase:
        """Refuse what would land on another patient than the one the form was drawn for."""
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return response
        if connection.needs_rollback:
            raise transaction.TransactionManagementError("a write failed and its page went on as if it had not")
        patient = drawn_for(self.request)
        if patient is None and written.patients and from_a_form(self.request):
            return views.told(self.request, views.FOR_NOBODY)
        match = self.request.resolver_match
        named = {match.kwargs["patient_pk"]} if match is not None and "patient_pk" in match.kwargs else set()
        if patient not in (None, NOBODY) and (written.patients | named) - {patient}:
            return views.told(self.request, views.FOR_SOMEBODY_ELSE)
        return response

    def _settle(self, response: HttpResponseBase, written: Written) -> None:
        """Keep the effect with its answer, or undo everything where the answer is no.

        An answer that wrote nothing, calls itself ``not_done`` or is made anew each time, leaves the key free.
        """
        if response.status_code >= HTTPStatus.BAD_REQUEST or getattr(response, "not_done", False):
            transaction.set_rollback(True)
            messages.take_back(self.request)
        elif written.anything and not getattr(response, "made_anew", False):
            self._keep(response, written)

    def _keep(self, response: HttpResponseBase, written: Written) -> None:
        request: Any = self.request
        clinic: Clinic | None = getattr(request, "clinic", None)
        actions.keep_intent(
            user=request.user,
            clinic=clinic,
            patient_id=next(iter(written.patients)) if len(written.patients) == 1 else None,
            at=request.at,
            key=self.key,
            route=request.resolver_match.view_name,
            path=request.get_full_path(),
            fingerprint=self.fingerprint,
            response=response,
            messages=messages.queued(request),
        )
        request.effect_kept = True  # whatever fails after this, it is done

    def _start_anew(self) -> None:
        """Forget what a failed attempt left outside the database: lines to show, a session it had changed."""
        messages.take_back(self.request)
        session = self.request.session
        if session.session_key != self.session_key or session.modified:
            self.request.session = type(session)(self.session_key)
        for files in self.request.FILES.values():
            files.seek(0)  # type: ignore[union-attr]
        if not connection.in_atomic_block:  # closing it would take a transaction around this request with it
            connection.close_if_unusable_or_obsolete()


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        return response.render()
    return response


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
