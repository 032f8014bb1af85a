"""What a form knows about the moment it was drawn: for which patient.

Two tabs, two patients: a form that was opened for one must not write into the record of the other. The patient's
number is signed, so that it is the one we drew or none at all.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest

FIELD = "drawn_for"
NOBODY = 0
_SPOILT = -1
_SIGNER = Signer(salt="drawn for a patient")


class Crossed(Exception):
    """A form that was drawn for one patient came to the page of another; nothing of it may be written or shown."""


def drawn_for_value(patient_pk: int | None) -> str:
    """Return the hidden field's value for a form about this patient, or about nobody."""
    return _SIGNER.sign(str(patient_pk or NOBODY))


def drawn_for(request: HttpRequest) -> int | None:
    """Return the patient the form was drawn for, ``NOBODY``, or ``None`` where it does not say.

    A value that we did not sign is no patient of anybody's: it matches none.
    """
    told = request.POST.get(FIELD)
    if told is None:
        return None
    try:
        return int(_SIGNER.unsign(str(told)))
    except (BadSignature, ValueError):
        return _SPOILT


def check_same_patient(request: HttpRequest, patient_pk: int) -> None:
    """Raise ``Crossed`` where a form drawn for one patient came to what is about another."""
    if request.method == "POST" and drawn_for(request) not in (None, NOBODY, patient_pk):
        raise Crossed
