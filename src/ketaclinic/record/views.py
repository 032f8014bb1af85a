"""Answers to writes that were not done, were done before, or could not be kept; each says what happened and what to do.

To a page they are a page, to a device they are JSON with the same words.
"""

from __future__ import annotations

import gzip
import sys
from dataclasses import dataclass

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from ketaclinic.design import views as pages
from ketaclinic.people.answers import wants_json
from ketaclinic.record import messages
from ketaclinic.record.models import Intent, IntentAnswer
from ketaclinic.record.trouble import Trouble, standing, trouble_of

AGAIN = "Ketaclinic-Answer"
"""Header of an answer that is given again, so that a device may know."""
RETRY_AFTER_S = {Trouble.BUSY: 5, Trouble.STORAGE: 60}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about a write that has no answer of its own."""

    status: int
    refused: str
    because: str
    do: str
    retry_after_s: int = 0


def told(request: HttpRequest, what: Told) -> HttpResponse:
    """Say it, as a page or as JSON."""
    reply: HttpResponse
    if wants_json(request):
        said = {"refused": what.refused, "because": [what.because], "do": what.do}
        reply = JsonResponse(said, status=what.status)
    else:
        reply = _page(request, what)
    if what.retry_after_s:
        reply["Retry-After"] = str(what.retry_after_s)
    return reply


def _page(request: HttpRequest, what: Told) -> HttpResponse:
    context = {"title": what.refused, "because": what.because, "what_to_do": what.do, "status": what.status}
    try:
        return render(request, "record/told.html", context, status=what.status)
    except (Error, OSError):  # where not even reading works, the words still get through
        words = f"{what.refused}\n\n{what.because}\n\n{what.do}\n"
        return HttpResponse(words, status=what.status, content_type="text/plain; charset=utf-8")


NO_KEY = Told(
    400,
    "This form carries no key",
    "Nothing was changed. Every form has a key of its own, so that sending it twice does things once.",
    "Open the page again and repeat the entry.",
)
USED_OTHERWISE = Told(
    422,
    "This form was already sent with something else in it",
    "What was sent first is saved. What you sent now was not.",
    "Open the page again to see what is saved, and enter the rest there.",
)
FOR_SOMEBODY_ELSE = Told(
    409,
    "This form was opened for another patient",
    "It would have been written into the record of somebody else. Nothing was changed.",
    "Open the patient you mean again, check name and birth date, and repeat the entry there.",
)
FOR_NOBODY = Told(
    400,
    "This form does not say for whom it was opened",
    "It would have been written into a patient's record. Nothing was changed.",
    "Open the page again and repeat the entry.",
)
TROUBLES = {
    Trouble.BUSY: Told(
        503,
        "The record is busy at the moment",
        "Nothing of what you sent was saved.",
        "Wait a few seconds and send it again, by reloading this page or going back. It is saved once, however often "
        "you send it.",
        RETRY_AFTER_S[Trouble.BUSY],
    ),
    Trouble.STORAGE: Told(
        507,
        "Nothing can be saved at the moment",
        "The disk of the server is full or does not take anything more. Nothing of what you sent was saved; what was "
        "saved before is safe and can be read and printed.",
        "Tell whoever runs the server now, and write down on paper what happens meanwhile. When the warning at the top "
        "of the page is gone, send it again by reloading this page.",
        RETRY_AFTER_S[Trouble.STORAGE],
    ),
}


def in_trouble(request: HttpRequest, kind: Trouble) -> HttpResponse:
    """Say that a write did not happen, and remember it for every page while the disk is the reason."""
    if kind is Trouble.STORAGE:
        standing.begins()
    return told(request, TROUBLES[kind])


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 and 507 where the database could not write or was not there."""
    kind = trouble_of(sys.exc_info()[1])
    return pages.server_error(request) if kind is None else in_trouble(request, kind)


def said_again(request: HttpRequest, intent: Intent) -> HttpResponse:
    """Return the first answer to an intent that has had its effect."""
    answer: IntentAnswer | None = getattr(intent, "answer", None)
    if answer is None or not answer.complete:
        return told(request, _done_before(intent))
    where = answer.headers.get("Location")
    reply = HttpResponseRedirect(where) if where else HttpResponse()
    reply.content, reply.status_code = gzip.decompress(bytes(answer.body)), answer.status
    for name, value in answer.headers.items():
        reply[name] = value
    reply[AGAIN] = "again"
    messages.say_again(request, answer.messages)
    return reply


def _done_before(intent: Intent) -> Told:
    return Told(
        409,
        "This was done before",
        f"It was sent on {intent.at.astimezone():%Y-%m-%d} and is saved. It was not done again.",
        "Open the page again to see what is saved.",
    )
