"""A refusal of the core becomes a page that says what was refused, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
        return render(request, "design/refused.html", {"refusal": exception}, status=409)
