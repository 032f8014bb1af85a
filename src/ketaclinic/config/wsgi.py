"""The application as the server loads it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from ketaclinic.config.environment import connect_as_server
from ketaclinic.config.headers import ALWAYS
from ketaclinic.config.logs import watch_over_loose_ends

connect_as_server()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
logger = logging.getLogger("ketaclinic.server")

SORRY = b"Something went wrong here. What you sent was not saved. Tell whoever runs this server."


class LastResort:
    """Answers when not even the page for errors could be made (no database): the server itself would log the values."""

    def __init__(self, wrapped: Callable[..., Iterable[bytes]]) -> None:
        self.wrapped = wrapped

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request."""
        try:
            return self.wrapped(environ, start_response)
        except Exception:
            logger.exception("no answer could be made")
        heads = {**ALWAYS, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        heads["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        start_response("500 Internal Server Error", list(heads.items()))
        return [SORRY]


application = LastResort(get_wsgi_application())
watch_over_loose_ends()


def _load_routes() -> None:
    """Import every view now: the first visitor does not wait for it."""
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018


_load_routes()
