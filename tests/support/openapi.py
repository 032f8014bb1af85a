"""Every address that answers JSON, as an OpenAPI 3.1 document made from the code: what fuzzing sends and expects.

It lives with the tests, not on the server: no client of ours reads it, and a server need not tell a stranger what it
takes. A route that answers JSON and is missing here fails ``tests/faults/test_json_endpoints.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from django.urls import reverse

from ketacore.treatment.events import PAYLOADS, EventKind

Schema = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
TEXT: Schema = {"type": "string", "maxLength": 500}
NUMBER: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -5, "maximum": 400},
        {"type": "number"},
        {"type": "string", "maxLength": 12},
    ]
}
KEY: Schema = {"type": "string", "pattern": "^[a-z0-9-]{8,40}$"}
MOMENT: Schema = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 30}]}
REFUSED: Schema = {
    "type": "object",
    "required": ["refused", "because", "do"],
    "properties": {
        "refused": {"type": "string", "minLength": 1},
        "because": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "do": {"type": "string"},
        "unlock": {"type": "string"},
        "confirm": {"type": "string"},
    },
    "additionalProperties": False,
}
CONFIRMED: Schema = {
    "type": "object",
    "required": ["confirmed"],
    "properties": {"confirmed": {"const": True}},
    "additionalProperties": False,
}
PASSKEY: Schema = {"type": "object"}
SAVED: Schema = {
    "type": "object",
    "required": ["saved", "phase"],
    "properties": {
        "saved": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["pk", "entry_key", "at"],
                "properties": {
                    "pk": {"type": "integer"},
                    "entry_key": {"type": "string"},
                    "at": {"type": "string", "format": "date-time"},
                },
                "additionalProperties": False,
            },
        },
        "phase": {"type": "string"},
    },
    "additionalProperties": False,
}
BUNDLE: Schema = {
    "type": "object",
    "required": ["resourceType", "type", "entry"],
    "properties": {"resourceType": {"const": "Bundle"}, "entry": {"type": "array", "minItems": 1}},
}

FIELDS: Mapping[str, Schema] = {
    "treatment:record": {
        "kind": {"anyOf": [{"enum": ["pad", *(kind.value for kind in EventKind)]}, TEXT]},
        "entry_key": KEY,
        "at": MOMENT,
        **dict.fromkeys(("systolic", "diastolic", "heart_rate", "oxygen_saturation", "respiratory_rate"), NUMBER),
        **{f.name: {"anyOf": [NUMBER, TEXT]} for model in PAYLOADS.values() for f in fields(model)},
    },
    "treatment:acknowledge": {"alert": TEXT, "entry_key": KEY, "next": TEXT},
    "treatment:undo": {"entry_key": KEY},
    "treatment:amend": {
        "reason": TEXT,
        "entry_key": KEY,
        "voided": {"enum": ["on", ""]},
        "happened_at": MOMENT,
        **dict.fromkeys(("systolic", "diastolic", "heart_rate"), NUMBER),
    },
    "fhir:export_bundle": {},
    "access:unlock": {"access-password": TEXT, "access-credential": TEXT},
    "access:confirm": {"access-password": TEXT, "access-credential": TEXT},
    "access:passkey_options": {"for": TEXT},
}
"""Route to the fields its form may hold."""
GIVES: Mapping[str, tuple[str, Schema]] = {
    "fhir:export_bundle": ("application/fhir+json", BUNDLE),
    "access:unlock": ("application/json", CONFIRMED),
    "access:confirm": ("application/json", CONFIRMED),
    "access:passkey_options": ("application/json", PASSKEY),
}
"""Route to the kind and the shape of its answer, where that is not what an entry of a session is answered."""
WITHOUT_INPUT = {"access:state"}
"""Answers JSON and takes nothing that could be drawn."""


def document(objects: Mapping[str, Iterable[int]]) -> Schema:
    """Return the document; ``objects`` names the keys to try for each part of an address, one's own and others'."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ketaclinic, as tests see it", "version": "1"},
        "paths": {path_of(name): {"post": _operation(name, objects)} for name in FIELDS},
    }


def path_of(name: str) -> str:
    """Return the address of a route with its parts in braces."""
    from tests.support.routes import keys_of

    marks = {key: 900_000 + number for number, key in enumerate(keys_of(name))}
    path = reverse(name, kwargs=marks)
    for key, mark in marks.items():
        path = path.replace(str(mark), f"{{{key}}}")
    return path


def _operation(name: str, objects: Mapping[str, Iterable[int]]) -> Schema:
    from tests.support.routes import keys_of

    keys = [
        {"name": key, "in": "path", "required": True, "schema": {"enum": list(objects[key])}} for key in keys_of(name)
    ]
    page = {"content": {"text/html; charset=utf-8": {}}}
    told = {"description": "said no", "content": {"application/json": {"schema": REFUSED}}}
    kind, shape = GIVES.get(name, ("application/json", SAVED))
    good = {kind: {"schema": shape}}
    operation: Schema = {
        "operationId": name,
        "parameters": [
            *keys,
            {"name": "Idempotency-Key", "in": "header", "required": True, "schema": KEY},
            {"name": "Accept", "in": "header", "required": True, "schema": {"const": "application/json"}},
        ],
        "responses": {
            "200": {"description": "done", "content": good},
            **(dict.fromkeys(("401", "423", "429"), told) if name.startswith("access") else {}),
            "409": told,
            "422": told,
            "403": {"description": "may not", **page},
            "404": {"description": "is not here", **page},
        },
    }
    if FIELDS[name]:
        schema = {
            "type": "object",
            "properties": FIELDS[name],
            "additionalProperties": False,
            "required": ["entry_key"] if "entry_key" in FIELDS[name] else [],
        }
        operation["requestBody"] = {"required": True, "content": {FORM: {"schema": schema}}}
    return operation
