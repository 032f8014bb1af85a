"""A refusal of the core becomes a page that says what was refused, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from ketacore.evidence import Refusal


class Refusals:
    """Answers a ``Refusal`` that no view caught with status 409 and a clear page; nothing was written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render the refusal; leave every other exception to Django."""
        if not isinstance(exception, Refusal):
            return None
        context = {"refusal": exception, "back": _page_before(request)}
        return render(request, "design/refused.html", context, status=409)


def _page_before(request: HttpRequest) -> str:
    """Return the page of ours the person came from, empty if none."""
    before = request.headers.get("Referer", "")
    return before if url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()}) else ""
