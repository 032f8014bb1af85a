"""Error pages (what happened, what was kept, what to do), the components page, the theme switch."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ketaclinic.design import samples
from ketaclinic.people.permissions import public

_YEAR = 365 * 24 * 60 * 60


def _error(request: HttpRequest, status: int, title: str, what_to_do: str) -> HttpResponse:
    return render(
        request, "design/error.html", {"title": title, "what_to_do": what_to_do, "status": status}, status=status
    )


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
    return render(request, "design/components.html", samples.everything())


@public
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back; anything but light or dark follows the device again."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in ("light", "dark"):
        response.set_cookie(
            "theme",
            chosen,
            max_age=_YEAR,
            samesite="Lax",
            secure=bool(settings.SESSION_COOKIE_SECURE),
            httponly=True,
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
