"""Error pages: what happened, what was kept, what to do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ketaclinic.people.permissions import public


def _error(request: HttpRequest, status: int, title: str, what_to_do: str) -> HttpResponse:
    return render(request, "design/error.html", {"title": title, "what_to_do": what_to_do}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _error(
        request,
        400,
        "This request could not be read",
        "Nothing was changed. Go back and try again.",
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    why = str(exception) if exception else ""
    return _error(request, 403, "Not allowed", f"{why} Nothing was changed.".strip())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _error(request, 404, "Not found", "There is no such page or record in your clinic.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _error(
        request,
        500,
        "Something went wrong here",
        "What you sent was not saved. Try once more; then tell whoever runs this server.",
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF failure: the form was open too long or came from elsewhere."""
    return _error(
        request,
        403,
        "This form has expired",
        "Nothing was changed. Open the page again and repeat the entry.",
    )


@public
def components(request: HttpRequest) -> HttpResponse:
    """Show every component on one page."""
    return render(request, "design/components.html")
