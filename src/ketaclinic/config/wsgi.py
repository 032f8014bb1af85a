"""The application as the server loads it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
application = get_wsgi_application()


def _load_routes() -> None:
    """Import every view now: the first visitor does not wait for it."""
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018


_load_routes()
