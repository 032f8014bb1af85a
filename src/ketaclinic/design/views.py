"""Error pages (what happened, what was kept, what to do), components, theme switch, how to tell of a weakness."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from ketaclinic.config.release import CONTACT_HOLDS_FOR, RELEASED_ON
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


def only_forms(request: HttpRequest) -> HttpResponse:
    """405: the address of a form that is sent, opened by hand or from history."""
    return _error(
        request, 405, "Nothing to show here", "This address only takes a form. Open the page on which the form stands."
    )


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


@require_safe
@public
def components(request: HttpRequest) -> HttpResponse:
    """Show every component on one page: for whoever builds pages, so in the demo only."""
    if not settings.DEMO:
        raise Http404
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
            settings.THEME_COOKIE_NAME,
            chosen,
            max_age=_YEAR,
            samesite="Lax",
            secure=bool(settings.SESSION_COOKIE_SECURE),
            httponly=True,
        )
    else:
        response.delete_cookie(settings.THEME_COOKIE_NAME, samesite="Lax")
    return response


@public
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Say whom to tell of a weakness, and what happens then."""
    return render(request, "design/security.html", {"contact": settings.SECURITY_CONTACT})


@public
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say the same to a program (RFC 9116)."""
    page = request.build_absolute_uri(reverse("design:security"))
    lines = [
        f"Contact: {settings.SECURITY_CONTACT or page}",
        f"Expires: {RELEASED_ON + CONTACT_HOLDS_FOR}T00:00:00Z",
        f"Policy: {page}",
        f"Canonical: {request.build_absolute_uri()}",
        "Preferred-Languages: en",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
