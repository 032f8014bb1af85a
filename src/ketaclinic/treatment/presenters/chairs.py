"""Which chair becomes free next, for whoever finds none free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ketaclinic.treatment.queries import OpenSession
from ketacore.treatment.phases import leave_not_before

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NextChair:
    """A taken chair and the earliest moment at which its patient may leave; none while drug is still to be given."""

    number: int
    at: datetime | None


def next_chair(running: Sequence[OpenSession]) -> NextChair | None:
    """Return the chair whose patient may leave first; of those still being given the drug, the one opened first."""
    if not running:
        return None
    first = min(running, key=lambda o: (leave_not_before(o.facts) or _LAST, o.session.at))
    return NextChair(first.session.chair, leave_not_before(first.facts))
