"""Our record as FHIR R4: one function per kind of row, one bundle per patient."""

from ketaclinic.interfaces.fhir.outgoing.bundle import bundle_as_bytes, record_bundle

__all__ = ["bundle_as_bytes", "record_bundle"]
