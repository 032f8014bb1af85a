"""What every page knows about its session: when it locks, and where to go then."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from ketaclinic.access.seal import seal_for


def presence(request: HttpRequest) -> dict[str, Any]:
    """Return ``idle`` for pages of a session that is open: seconds, and the addresses its script needs."""
    here = getattr(request, "presence", None)
    if here is None or here.locked_at is not None:
        return {}
    return {
        "idle": {
            "seconds": int(settings.IDLE.total_seconds()),
            "state": reverse("access:state"),
            "here": reverse("access:here"),
            "locked": reverse("access:locked"),
            "person": here.user_id,
            "seal": seal_for("typed", here.user_id),
        }
    }
