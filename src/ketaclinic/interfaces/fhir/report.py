"""What an import did, for people (a table) and machines (JSON)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WHY = {
    "taken": "",
    "amended": "changed in its source; the old value is kept",
    "unchanged": "already in the record",
    "kept": "corrected here",
}
"""What can become of a row, with the words that explain it."""


@dataclass(frozen=True, slots=True)
class LeftLine:
    """So many resources of one kind that were left for one reason."""

    what: str
    reason: str
    number: int


@dataclass(slots=True)
class ImportReport:
    """The result of one bundle; ``taken``, ``amended``, ``unchanged`` and ``kept`` count rows by resource type.

    ``kept`` are rows that were corrected here, which the source does not write over.
    """

    patient_id: int
    record_number: str
    new_patient: bool
    resources: int
    taken: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    amended: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    death_recorded: bool = False
    left: list[LeftLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Return whether anything was written besides the import's own line."""
        return self.new_patient or self.death_recorded or bool(self.taken or self.amended)

    def count(self, where: str, resource_type: str) -> None:
        """Add one to ``taken``, ``amended``, ``unchanged`` or ``kept``."""
        counts: dict[str, int] = getattr(self, where)
        counts[resource_type] = counts.get(resource_type, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "patient_id": self.patient_id,
            "record_number": self.record_number,
            "new_patient": self.new_patient,
            "resources": self.resources,
            "taken": self.taken,
            "unchanged": self.unchanged,
            "amended": self.amended,
            "kept": self.kept,
            "death_recorded": self.death_recorded,
            "left": [{"what": line.what, "reason": line.reason, "number": line.number} for line in self.left],
            "notes": self.notes,
        }

    def rows(self) -> list[tuple[str, str, int, str]]:
        """Return the table: verdict, what, how many, why."""
        lines = [
            (verdict, what, number, why)
            for verdict, why in WHY.items()
            for what, number in sorted(getattr(self, verdict).items())
        ]
        return lines + [("left", line.what, line.number, line.reason) for line in self.left]
