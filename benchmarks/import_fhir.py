"""IMPORT: resources a second through ``import_bundle`` with a bundle of vital signs, database included."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RESOURCES = 5_000
ROUNDS = 5


def bundle(number: int) -> bytes:
    """Return a synthetic bundle of ``RESOURCES`` measurements of one person."""
    person = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "urn:benchmark", "value": str(number)}],
        "name": [{"family": "Synthetic"}],
        "birthDate": "1980-01-01",
    }
    weights = [
        {
            "resourceType": "Observation",
            "id": f"o{number}-{n}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": f"20{n % 20:02d}-0{n % 9 + 1}-{n % 28 + 1:02d}T10:00:00Z",
            "valueQuantity": {"value": 70 + n % 9, "system": "http://unitsofmeasure.org", "code": "kg"},
        }
        for n in range(RESOURCES)
    ]
    entries = [{"resource": resource} for resource in (person, *weights)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def measure() -> dict[str, float]:
    """Return the median resources per second of ``ROUNDS`` imports into a fresh SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KETACLINIC_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.utils import timezone

        from ketaclinic.demo.clinic import found_clinic
        from ketaclinic.interfaces.fhir.actions import import_bundle

        call_command("migrate", verbosity=0)
        by = found_clinic(timezone.now()).prescriber
        rates = []
        for number in range(ROUNDS):
            data, started = bundle(number), time.perf_counter()
            import_bundle(data, by=by, at=timezone.now())
            rates.append((RESOURCES + 1) / (time.perf_counter() - started))
    return {"resources_per_second": round(statistics.median(rates))}


def report() -> list[str]:
    """Return the lines of ``docs/benchmarks.md``, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.import_fhir"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = json.loads(told)["resources_per_second"]
    return [
        "## IMPORT",
        "",
        f"{rate:,} FHIR resources a second on one core (goal 1,000), reading, checking and storing in SQLite included:",
        f"the median of {ROUNDS} bundles of {RESOURCES:,} measurements, each with its row and its timeline entry.",
    ]


if __name__ == "__main__":
    print(json.dumps(measure()))
