"""A refusal of the core becomes a page that says what was refused, why, and what to do.

So does text with signs that cannot be seen, and a form that is too large.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from ketaclinic.config.uploads import largest_body
from ketaclinic.design.views import only_forms
from ketaclinic.people.answers import wants_json
from ketacore.evidence import Refusal


class Refusals:
    """Answers a ``Refusal`` that no view caught with status 409 and a clear page; nothing was written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; who opens the address of a form by hand is told so instead of seeing nothing."""
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and request.method == "GET" and not wants_json(request):
            page = only_forms(request)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render the refusal; leave every other exception to Django."""
        return refused(request, exception) if isinstance(exception, Refusal) else None


def refused(request: HttpRequest, refusal: Refusal, status: int = HTTPStatus.CONFLICT) -> HttpResponse:
    """Answer with what was refused, why, and what to do; to a device the same words as JSON."""
    if wants_json(request):
        said = {"refused": refusal.refused, "because": list(refusal.because), "do": refusal.do}
        return JsonResponse(said, status=status)
    context = {"refusal": refusal, "back": _page_before(request)}
    return render(request, "design/refused.html", context, status=status)


class BoundedBody:
    """Refuses what is too large before it is read, and keeps strangers from taking every thread with unfinished forms.

    Stands before the check against forged requests, which reads the body of every form. At the same moment at most
    half of the threads wait for what strangers still have to send.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._strangers = BoundedSemaphore(settings.THREADS // 2)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Let a form pass that is no larger than it may be."""
        if request.method != "POST":
            return None
        signed_in = request.user.is_authenticated
        largest, length = largest_body(view, signed_in=signed_in), request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > largest:
            return refused(request, _too_large(largest), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return None if signed_in else self._read_of_a_stranger(request)

    def _read_of_a_stranger(self, request: HttpRequest) -> HttpResponse | None:
        if not self._strangers.acquire(blocking=False):
            reply = refused(request, _BUSY, HTTPStatus.SERVICE_UNAVAILABLE)
            reply["Retry-After"] = "5"
            return reply
        try:
            request.body  # noqa: B018  kept by the request; whoever reads it next waits for nobody
        except UnreadablePostError:  # the line was cut: nobody hears the answer
            return HttpResponse(status=HTTPStatus.BAD_REQUEST)
        finally:
            self._strangers.release()
        return None


_BUSY = Refusal("Sending this", ["too many forms are still on their way"], "Nothing was changed. Send it again soon.")


def _too_large(largest: int) -> Refusal:
    size = f"it is larger than the limit of {largest // 1024**2} MB"
    return Refusal("Sending this", [size], "Nothing was changed. Go back and send less.")


_UNSEEN_KINDS = frozenset({"Cc", "Cf", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters by their kind, and yet nothing to see."""
_LINES = "\t\n\r"


def unseen_sign(text: str) -> str:
    """Return the first sign nobody sees that changes what stands beside it, or ends a text early; empty for none.

    Joiners may stay: some scripts are not written without them.
    """
    return next((sign for sign in dict.fromkeys(text) if _is_unseen(sign)), "")


def _is_unseen(sign: str) -> bool:
    kept = sign in _JOINERS or sign in _LINES
    return sign in _FILLERS or (unicodedata.category(sign) in _UNSEEN_KINDS and not kept)


class SeenText:
    """Refuses text with signs that nobody sees, in any field of any form: one place, so that no field is forgotten."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Let text pass that is what it looks like."""
        for sent in (request.GET, request.POST):
            for name, values in sent.lists():
                if sign := unseen_sign("".join((name, *values))):
                    return _unseen(request, f"U+{ord(sign):04X}")
        return None


def _unseen(request: HttpRequest, sign: str) -> HttpResponse:
    refusal = Refusal(
        "Saving this",
        [f"a text holds a sign that cannot be seen ({sign}), perhaps from another program"],
        "Nothing was changed. Go back and type the text instead of pasting it.",
    )
    return refused(request, refusal, HTTPStatus.UNPROCESSABLE_ENTITY)


def _page_before(request: HttpRequest) -> str:
    """Return the page of ours the person came from, empty if none."""
    before = request.headers.get("Referer", "")
    return before if url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()}) else ""
