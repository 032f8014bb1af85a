"""Reads of imports, always within one clinic."""

from __future__ import annotations

from django.db.models import QuerySet

from ketaclinic.interfaces.fhir.models import FhirImport
from ketaclinic.people.models import Clinic
from ketaclinic.people.queries import one_in

_SHOWN = 20


def recent_imports(clinic: Clinic) -> QuerySet[FhirImport]:
    """Return the newest imports of the clinic."""
    found: QuerySet[FhirImport] = (
        FhirImport.objects.of(clinic).select_related("by", "patient").order_by("-at", "-pk")[:_SHOWN]
    )
    return found


def import_in(clinic: Clinic, pk: int) -> FhirImport:
    """Return one import of this clinic; raises ``Http404`` for another clinic's or none."""
    rows: QuerySet[FhirImport] = FhirImport.objects.of(clinic)
    return one_in(rows.select_related("by", "patient"), "import in this clinic", pk)
