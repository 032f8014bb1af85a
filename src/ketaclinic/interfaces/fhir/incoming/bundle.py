"""A whole bundle: one person, their resources, nobody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ketaclinic.interfaces.fhir.incoming import codes
from ketaclinic.interfaces.fhir.incoming.clinical import READERS
from ketaclinic.interfaces.fhir.incoming.document import Limits
from ketaclinic.interfaces.fhir.incoming.models import TAKEN_TYPES, check_structure
from ketaclinic.interfaces.fhir.incoming.person import read_patient
from ketaclinic.interfaces.fhir.incoming.values import Incoming, IncomingRow, Left, Unreadable, Withdrawn
from ketaclinic.interfaces.fhir.incoming.vitals import NOT_A_VITAL_SIGN, kind_of, loinc_codes, read_vital_sign

Progress = Callable[[int, int], None]
_STEP = 200


def parse_bundle(
    document: Mapping[str, Any], limits: Limits | None = None, progress: Progress | None = None
) -> Incoming:
    """Return what a bundle brings; raises ``Unreadable`` for one that must not come in at all.

    ``progress(done, of)`` is called now and then while resources are read.
    """
    entries = _entries(document, limits or Limits())
    left: list[Left] = []
    full_url, person = _only_patient(entries)
    check_structure(person, "Patient")
    incoming = Incoming(read_patient(person, full_url, left), left=left, resources=len(entries))
    names = _names_of(full_url, person)
    medicines = _medicines(entries)
    seen: set[str] = set()
    for number, (url, resource) in enumerate(entries, start=1):
        if progress is not None and number % _STEP == 0:
            progress(number, len(entries))
        if resource is not person:
            _take(incoming, url, _with_medicine(resource, medicines), names, seen)
    return incoming


def _entries(document: Mapping[str, Any], limits: Limits) -> list[tuple[str, Mapping[str, Any]]]:
    if document.get("resourceType") != "Bundle":
        raise Unreadable(f"not a FHIR Bundle (resourceType is {codes.short(document.get('resourceType', 'missing'))})")
    codes.check_code("Bundle.type", document.get("type"), "Bundle")
    if document.get("type") not in codes.BUNDLE_TYPES:
        raise Unreadable(f"a bundle of this type is not read; send one of: {', '.join(codes.BUNDLE_TYPES)}")
    entries = document.get("entry")
    if not isinstance(entries, list) or not entries:
        raise Unreadable("the bundle is empty")
    if len(entries) > limits.resources:
        raise Unreadable(f"the bundle holds more than {limits.resources:,} resources")
    return [_entry(entry, number) for number, entry in enumerate(entries, start=1)]


def _entry(entry: object, number: int) -> tuple[str, Mapping[str, Any]]:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(resource, Mapping):
        raise Unreadable(f"entry {number} holds no resource")
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not kind.isascii() or not kind.isalpha() or len(kind) > 60:
        raise Unreadable(f"entry {number} names no resource type")
    method = (entry.get("request") or {}).get("method", "POST") if isinstance(entry.get("request", {}), Mapping) else ""
    if method not in ("POST", "PUT"):
        raise Unreadable(f"entry {number} asks for {codes.short(method)}; an import only adds")
    return str(entry.get("fullUrl", "")), resource


def _only_patient(entries: list[tuple[str, Mapping[str, Any]]]) -> tuple[str, Mapping[str, Any]]:
    people = [(url, r) for url, r in entries if r["resourceType"] == "Patient"]
    if not people:
        raise Unreadable("the bundle holds no Patient")
    if len(people) > 1:
        raise Unreadable(f"the bundle holds {len(people)} patients; import one person at a time")
    return people[0]


def _names_of(full_url: str, person: Mapping[str, Any]) -> frozenset[str]:
    names = {full_url} if full_url else set()
    if person.get("id"):
        names |= {f"Patient/{person['id']}", f"urn:uuid:{person['id']}"}
    return frozenset(names)


def _medicines(entries: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the codes of Medication resources by every name a reference may use."""
    found: dict[str, Any] = {}
    for url, resource in entries:
        if resource["resourceType"] == "Medication":
            found[url] = found[f"Medication/{resource.get('id')}"] = resource.get("code")
    return found


def _with_medicine(resource: Mapping[str, Any], medicines: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = resource.get("medicationReference")
    named_by = str(reference.get("reference", "")) if isinstance(reference, Mapping) else ""
    if named_by not in medicines or "medicationCodeableConcept" in resource:
        return resource
    return {
        **{name: value for name, value in resource.items() if name != "medicationReference"},
        "medicationCodeableConcept": medicines[named_by],
    }


def _take(incoming: Incoming, url: str, resource: Mapping[str, Any], names: frozenset[str], seen: set[str]) -> None:
    kind = resource["resourceType"]
    source_id = _source_id(url, resource)
    _refuse_other_people(resource, names, source_id)
    if kind not in TAKEN_TYPES:
        incoming.left.append(Left(kind, "this kind of resource is not used here"))
        return
    if source_id in seen:
        raise Unreadable(f"{source_id}: stands twice in the bundle")
    seen.add(source_id)
    taken = _read(kind, resource, source_id)
    if isinstance(taken, IncomingRow):
        incoming.rows.append(taken)
    else:
        incoming.left.append(Left(kind, taken))
        if taken.startswith("its status is"):
            incoming.withdrawn.append(Withdrawn(kind, source_id, taken))


def _read(kind: str, resource: Mapping[str, Any], source_id: str) -> IncomingRow | str:
    if kind != "Observation":
        check_structure(resource, source_id)
        _require_subject(resource, source_id)
        return READERS[kind](resource, source_id)
    vital = kind_of(loinc_codes(resource, source_id))
    if vital is None:
        codes.check_code("Observation.status", resource.get("status"), source_id)
        return NOT_A_VITAL_SIGN
    check_structure(resource, source_id)
    _require_subject(resource, source_id)
    return read_vital_sign(resource, source_id, vital)


def _require_subject(resource: Mapping[str, Any], where: str) -> None:
    if not _subjects(resource):
        raise Unreadable(f"{where}: does not say whom it is about")


def _subjects(resource: Mapping[str, Any]) -> list[str]:
    return [
        str(about.get("reference", ""))
        for about in (resource.get("subject"), resource.get("patient"))
        if isinstance(about, Mapping) and about.get("reference")
    ]


def _refuse_other_people(resource: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    for reference in _subjects(resource):
        if reference.split("/_history/")[0] not in names:
            raise Unreadable(
                f"{where}: is about somebody else ({codes.short(reference)} is not the patient of this bundle)"
            )


def _source_id(url: str, resource: Mapping[str, Any]) -> str:
    kind = resource["resourceType"]
    given = resource.get("id")
    if isinstance(given, str) and 0 < len(given) <= 64 and given.isascii() and given.isprintable():
        return f"{kind}/{given}"
    if url.startswith("urn:uuid:") and len(url) == 45:
        return f"{kind}/{url[9:]}"
    content = json.dumps(resource, sort_keys=True, default=str).encode()
    return f"{kind}/sha256-{hashlib.sha256(content).hexdigest()[:40]}"


def kinds_left(left: list[Left]) -> Iterator[tuple[str, str, int]]:
    """Yield what was left, grouped: kind, reason, how many."""
    counted: dict[Left, int] = {}
    for item in left:
        counted[item] = counted.get(item, 0) + 1
    for item, number in sorted(counted.items(), key=lambda pair: (pair[0].what, pair[0].reason)):
        yield item.what, item.reason, number
