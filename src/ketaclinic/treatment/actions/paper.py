"""What was kept on paper while the server was gone, and is typed in afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ketaclinic.people.models import Staff
from ketaclinic.treatment.models import Session, SessionEvent, WrittenOnPaper
from ketaclinic.treatment.queries import OPEN_WITHIN
from ketacore.evidence import Refusal
from ketacore.treatment.events import text_fault

PAPER_WITHIN = OPEN_WITHIN
"""How long afterwards a session may be typed in from paper. Policy: as long as an open session stays on the board."""
LONGEST_REASON = 200


class NeedsConfirming(Refusal):
    """A gate would have held this back: whoever types it in is asked whether it happened all the same."""


@dataclass(frozen=True, slots=True)
class Paper:
    """That something stands on paper, and why; ``confirmed``: it happened although a gate would have held it back."""

    reason: str
    confirmed: bool = False

    def __post_init__(self) -> None:
        fault = text_fault(self.reason)
        if not self.reason.strip() or len(self.reason) > LONGEST_REASON or fault:
            raise Refusal("Entering from paper", [fault or "no reason was given"], "Say why it was kept on paper.")


def check_paper_time(at: datetime, recorded_at: datetime) -> None:
    """Refuse a session of the future, or one so old that the sheets should have been entered long ago."""
    if at > recorded_at:
        raise Refusal("Entering from paper", ["its time lies in the future"], "Check the date and the time.")
    if recorded_at - at > PAPER_WITHIN:
        raise Refusal(
            "Entering from paper",
            [f"it is more than {PAPER_WITHIN.days} days ago"],
            "Keep the paper sheet in the patient's file.",
        )


def keep_paper(
    session: Session,
    paper: Paper,
    *,
    by: Staff,
    at: datetime,
    recorded_at: datetime,
    event: SessionEvent | None = None,
    against: tuple[str, ...] = (),
) -> WrittenOnPaper:
    """Keep that a session or an entry was on paper; called inside the transaction that writes it."""
    row: WrittenOnPaper = WrittenOnPaper.objects.create(
        clinic=session.clinic,
        patient=session.patient,
        session=session,
        event=event,
        reason=paper.reason.strip(),
        against=list(against),
        at=at,
        recorded_at=recorded_at,
        recorded_by=by,
    )
    return row


def paper_of(event: SessionEvent) -> Paper | None:
    """Return why an entry was on paper; what happened against a gate was confirmed when it was entered."""
    row: WrittenOnPaper | None = WrittenOnPaper.objects.filter(event=event).first()
    return None if row is None else Paper(row.reason, confirmed=True)
