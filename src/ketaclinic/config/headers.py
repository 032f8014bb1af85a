"""What every answer says to the browser, in one place: pages, files, redirects, refusals and errors alike.

The content policy is Django-CSP's; this middleware stands outside of all others, so that an answer which never reached
them (a wrong host name, a method nobody takes) carries the rest too.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest, HttpResponse

from ketaclinic.config.proxies import believe_only_proxies

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Forms of our own pages may say where they come from; nobody else is told an address of ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": ", ".join(
        [
            *(
                f"{feature}=()"
                for feature in (
                    "accelerometer",
                    "autoplay",
                    "browsing-topics",
                    "camera",
                    "display-capture",
                    "geolocation",
                    "gyroscope",
                    "magnetometer",
                    "microphone",
                    "midi",
                    "payment",
                    "usb",
                )
            ),
            "publickey-credentials-create=(self)",
            "publickey-credentials-get=(self)",
        ]
    ),
}
METHODS = frozenset({"GET", "HEAD", "POST"})
"""What a browser needs of us. TRACE would send back what it was sent; PUT, PATCH and DELETE are nothing of ours."""


class StrictHeaders:
    """Sets what every answer carries, keeps pages out of every cache, and takes only the methods of a browser.

    At sign-out the browser forgets what it kept of us, so that the way back shows nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        believe_only_proxies(request)
        if request.method not in METHODS:
            response = HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(sorted(METHODS))})
        else:
            response = self.get_response(request)
        for name, value in ALWAYS.items():
            response[name] = value
        if not _is_file_for_all(request, response):
            response["Cache-Control"] = "no-store"
        if getattr(request, "signed_out", False):
            response["Clear-Site-Data"] = '"cache"'
        return response


def _is_file_for_all(request: HttpRequest, response: HttpResponse) -> bool:
    """Return whether this is a style sheet, script or picture that is the same for everybody."""
    return request.path.startswith(settings.STATIC_URL) and response.status_code < HTTPStatus.BAD_REQUEST


def _signed_out(sender: Any, request: HttpRequest | None, **_: Any) -> None:
    if request is not None:
        request.signed_out = True  # type: ignore[attr-defined]


user_logged_out.connect(_signed_out, dispatch_uid="clear what the browser kept")
