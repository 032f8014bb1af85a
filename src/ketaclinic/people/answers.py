"""How somebody wants to be answered."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest, HttpResponseBase

Reply = TypeVar("Reply", bound=HttpResponseBase)


def wants_json(request: HttpRequest) -> bool:
    """Return whether the answer is for a device and not for a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def said_once(response: Reply) -> Reply:
    """Mark an answer that shows a secret: it is kept nowhere, so a repeated request does not get it again."""
    response.said_once = True  # type: ignore[attr-defined]
    return response


def made_anew(response: Reply) -> Reply:
    """Mark an answer that only takes out what stands in the record: asked for again, it is what stands then."""
    response.made_anew = True  # type: ignore[attr-defined]
    return response
