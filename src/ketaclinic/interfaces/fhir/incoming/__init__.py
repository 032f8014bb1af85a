"""From bytes to checked values, without a database: what is taken from a bundle, what is left, and why.

``read_document`` (bytes to JSON, within limits) → ``parse_bundle`` (JSON to ``Incoming``). Anything that must not
come in raises ``Unreadable`` with one sentence; nothing has been written by then.
"""

from ketaclinic.interfaces.fhir.incoming.bundle import parse_bundle
from ketaclinic.interfaces.fhir.incoming.document import Limits, read_document
from ketaclinic.interfaces.fhir.incoming.values import Incoming, IncomingPatient, IncomingRow, Left, Unreadable

__all__ = [
    "Incoming",
    "IncomingPatient",
    "IncomingRow",
    "Left",
    "Limits",
    "Unreadable",
    "parse_bundle",
    "read_document",
]
