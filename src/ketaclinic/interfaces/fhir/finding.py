"""Whose record it is, and which rows of it are here already."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from ketaclinic.interfaces.fhir.incoming import IncomingPatient, IncomingRow
from ketaclinic.people.actions import register_patient
from ketaclinic.people.models import Patient, PatientIdentifier, Staff
from ketaclinic.screening.models import Allergy, Medication, Problem, Procedure, SourcedRow, VitalSign
from ketacore.evidence import Refusal

MODELS: Mapping[str, type[SourcedRow]] = {
    "Problem": Problem,
    "Medication": Medication,
    "Allergy": Allergy,
    "VitalSign": VitalSign,
    "Procedure": Procedure,
}


def find_or_register(told: IncomingPatient, *, by: Staff, at: datetime) -> tuple[Patient, bool]:
    """Return the clinic's patient with one of these identifiers, or a new one; raises ``Refusal`` on doubt."""
    if any(system == own_system(by.clinic.pk) for system, _ in told.identifiers):
        raise Refusal("The import", ["this record was exported by this very clinic"], "It is here already.")
    owners: dict[int, Patient] = {}
    missing: list[tuple[str, str]] = []
    for system, value in told.identifiers:
        found = (
            PatientIdentifier.objects.of(by.clinic).filter(system=system, value=value).select_related("patient").first()
        )
        if found is None:
            missing.append((system, value))
        else:
            owners[found.patient_id] = found.patient
    if not owners:
        return _register(told, by=by, at=at), True
    if len(owners) > 1:
        raise _doubt("its identifiers belong to two different patients of this clinic")
    (patient,) = owners.values()
    if patient.birth_date != told.birth_date:
        raise _doubt("the patient with this identifier was born on another day")
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(clinic=by.clinic, patient=patient, system=system, value=value) for system, value in missing
    )
    return patient, False


def own_system(clinic_id: int) -> str:
    """Return the identifier system of a clinic's own record numbers, as its exports carry it."""
    return f"urn:ketaclinic:clinic-{clinic_id}:record-number"


def _register(told: IncomingPatient, *, by: Staff, at: datetime) -> Patient:
    if told.birth_date > by.clinic.day_of(at):
        raise _doubt("the birth date lies in the future")
    return register_patient(
        by=by,
        at=at,
        given_name=told.given_name,
        family_name=told.family_name,
        birth_date=told.birth_date,
        sex=told.sex,
        phone=told.phone,
        email=told.email,
        language=told.language,
        identifiers=told.identifiers,
        synthetic=told.synthetic,
    )


def _doubt(why: str) -> Refusal:
    return Refusal("The import", [why], "Check in the other system whether this is the right person.")


class KnownRows:
    """What any source has sent about a patient so far, the newest row of each.

    A source is named by an identifier system of the patient, and a bundle carries several of them in any order. So
    its source is the one whose rows it brings again; only a bundle of which nothing is known names its first.
    """

    def __init__(self, patient: Patient) -> None:
        self.zone = patient.clinic.zone
        self.rows: dict[str, dict[str, list[SourcedRow]]] = {}
        for name, model in MODELS.items():
            of_model = self.rows.setdefault(name, defaultdict(list))
            found = model.objects.of(patient.clinic).current().filter(patient=patient).exclude(source_id="")
            for row in found.order_by("pk"):
                of_model[row.source_id].append(row)

    def source_of(self, told: IncomingPatient, rows: Iterable[IncomingRow]) -> str:
        """Return the name of the source that sent these rows."""
        seen: Counter[str] = Counter()
        for row in rows:
            seen.update(old.source_system for old in self._under(row.model, row.source_id) if self._alike(old, row))
        systems = [system for system, _ in told.identifiers]
        order = {system: len(systems) - place for place, system in enumerate(systems)}
        return max(seen, key=lambda system: (seen[system], order.get(system, 0)), default=told.source)

    def find(self, row: IncomingRow, source: str) -> SourcedRow | None:
        """Return our row of an incoming one: under its source, or the very same under another name of it."""
        found = self._under(row.model, row.source_id)
        exact = [old for old in found if old.source_system == source]
        return next(iter([*exact, *(old for old in found if self._alike(old, row))]), None)

    def find_withdrawn(self, model: str, source_id: str, source: str) -> SourcedRow | None:
        """Return our row of a resource that was taken back; without its words only an unmistakable one."""
        found = self._under(model, source_id)
        exact = [old for old in found if old.source_system == source] or found
        return exact[0] if len(exact) == 1 else None

    def _under(self, model: str, source_id: str) -> list[SourcedRow]:
        return self.rows[model].get(source_id, [])

    def _alike(self, old: SourcedRow, row: IncomingRow) -> bool:
        sent = old.as_sent
        words = "kind" if row.model == "VitalSign" else "display"
        same_time = row.when is None or sent.at == row.when.at(self.zone)
        return same_time and bool(getattr(sent, words) == row.fields[words])
