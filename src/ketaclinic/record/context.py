"""What every template knows about the state of the record itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ketaclinic.record.trouble import standing


def trouble(request: HttpRequest) -> dict[str, Any]:
    """Return ``writing_fails``: a banner on every page, as long as nothing can be saved."""
    return {"writing_fails": standing.lasts()}
