"""What the core is told about one session: the plan, what other rooms know, and everything that has happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ketacore.evidence import Fact
from ketacore.treatment.events import Event, Payload

NASAL = "esketamine-nasal"
INFUSION = "ketamine-iv"

P = TypeVar("P", bound=Payload)


def _unasked() -> Fact[bool]:
    return Fact.not_asked()


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session as it stands. Events of *this* session only: no value is ever carried forward from another.

    ``events`` are in the order of time; amended and voided events are not among them.
    """

    product: str
    dose_mg: Fact[float] = field(default_factory=Fact[float].not_asked)
    infusion_min: Fact[float] = field(default_factory=Fact[float].not_asked)
    consent_valid: Fact[bool] = field(default_factory=_unasked)
    plan_active: Fact[bool] = field(default_factory=_unasked)
    candidate: Fact[bool] = field(default_factory=_unasked)
    dose_allowed: Fact[bool] = field(default_factory=_unasked)
    weight_usable: Fact[bool] = field(default_factory=_unasked)
    day_allowed: Fact[bool] = field(default_factory=_unasked)
    rems_enrolled: Fact[bool] = field(default_factory=_unasked)
    setting_certified: Fact[bool] = field(default_factory=_unasked)
    events: tuple[Event, ...] = ()

    def of(self, payload: type[P], since: datetime | None = None) -> tuple[tuple[Event, P], ...]:
        """Return the events of one kind with their payload, in the order of time, at or after ``since``."""
        return tuple(
            (e, e.what) for e in self.events if isinstance(e.what, payload) and (since is None or e.at >= since)
        )

    def last(self, payload: type[P], since: datetime | None = None) -> tuple[Event, P] | None:
        """Return the newest event of one kind, or ``None``."""
        found = self.of(payload, since)
        return found[-1] if found else None

    @property
    def nasal(self) -> bool:
        """Whether the drug comes in nasal devices."""
        return self.product == NASAL


def in_order(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return events by time; of two at the same moment the one entered first comes first."""
    return tuple(sorted(events, key=lambda e: e.at))
