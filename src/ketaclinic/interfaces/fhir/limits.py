"""How large an import may be; settable, read in one place."""

from __future__ import annotations

from django.conf import settings

from ketaclinic.interfaces.fhir.incoming import Limits


def import_limits() -> Limits:
    """Return the limits of this server (``KETACLINIC_IMPORT_MAX_MB``)."""
    return Limits(bytes=settings.IMPORT_MAX_BYTES)
