"""The FHIR library's R4 models: structure, types, cardinality and calendar of what is taken.

Imported on first use: they cost half a second, and most commands never read a bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from ketaclinic.interfaces.fhir.incoming.codes import short
from ketaclinic.interfaces.fhir.incoming.values import Unreadable, clean

TAKEN_TYPES = (
    "Patient",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "AllergyIntolerance",
    "Observation",
    "Procedure",
)


@cache
def _model(resource_type: str) -> Any:
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    return getattr(module, resource_type)


def check_structure(resource: Mapping[str, Any], where: str) -> None:
    """Raise ``Unreadable`` unless the resource has the fields, types and dates that FHIR R4 asks for.

    The narrative (``text``) is left out: it is never read, stored or shown.
    """
    from pydantic import ValidationError

    bare = {name: value for name, value in resource.items() if name != "text"}
    try:
        _model(resource["resourceType"]).model_validate(bare)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the resource"
        raise Unreadable(f"{where}: {short(field)[1:-1]} is not valid FHIR R4 ({clean(first['msg'], 120)})") from None
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
        raise Unreadable(f"{where}: not valid FHIR R4") from None
