"""May this session start, what is due, which alert, may this person go home.

All answers are pure functions over an immutable list of events of one session. The first device or the start of the
infusion waits for the start gate; the way home for the leave gate; nothing from an earlier session relaxes either.
"""

from ketacore.treatment.alerts import Alert, AlertReport, Priority, alerts
from ketacore.treatment.course import (
    baseline_pressure,
    devices_planned,
    dosing_over_at,
    first_dose_at,
    infusion_ends_at,
    infusion_running,
    minutes_between,
    pressures,
    readings,
)
from ketacore.treatment.decide import (
    HeldBack,
    check_event,
    dose_complete,
    dose_given_mg,
    held_back,
    may_start,
    ready_for_discharge,
    rems_minutes,
)
from ketacore.treatment.due import Due, DueState, What, checks, dosing_ends, what_is_due
from ketacore.treatment.events import PAYLOADS, Event, EventKind, Payload, payload_as_json, read_payload
from ketacore.treatment.facts import INFUSION, NASAL, SessionFacts, in_order
from ketacore.treatment.phases import TRANSITIONS, Phase, Step, diagram, leave_not_before, phase
from ketacore.treatment.questions import QUESTIONS, Question, answered, questions_of
from ketacore.treatment.rules import RULES
from ketacore.treatment.steps import Misfit, misfits

__all__ = [
    "INFUSION",
    "NASAL",
    "PAYLOADS",
    "QUESTIONS",
    "RULES",
    "TRANSITIONS",
    "Alert",
    "AlertReport",
    "Due",
    "DueState",
    "Event",
    "EventKind",
    "HeldBack",
    "Misfit",
    "Payload",
    "Phase",
    "Priority",
    "Question",
    "SessionFacts",
    "Step",
    "What",
    "alerts",
    "answered",
    "baseline_pressure",
    "check_event",
    "checks",
    "devices_planned",
    "diagram",
    "dose_complete",
    "dose_given_mg",
    "dosing_ends",
    "dosing_over_at",
    "first_dose_at",
    "held_back",
    "in_order",
    "infusion_ends_at",
    "infusion_running",
    "leave_not_before",
    "may_start",
    "minutes_between",
    "misfits",
    "payload_as_json",
    "phase",
    "pressures",
    "questions_of",
    "read_payload",
    "readings",
    "ready_for_discharge",
    "rems_minutes",
    "what_is_due",
]
