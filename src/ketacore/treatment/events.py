"""What can happen in a session: one typed, frozen payload per kind of event.

``read_payload`` is the only way in from JSON: an unknown kind, an unknown field, a wrong type or a number that cannot
belong to a living person is refused, never repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, ClassVar, get_args, get_type_hints
from unicodedata import category

from ketacore.evidence import Refusal, to_jsonable
from ketacore.units import BloodPressure, ImpossibleValue, Percent, Rate


class EventKind(StrEnum):
    """One word per thing that happens in a session."""

    ARRIVED = "arrived"
    ANSWER = "answer"
    VITALS = "vitals"
    SEDATION = "sedation"
    DISSOCIATION = "dissociation"
    SYMPTOM = "symptom"
    DEVICE = "device"
    DOSING_ENDED = "dosing_ended"
    INFUSION_START = "infusion_start"
    INFUSION_PAUSE = "infusion_pause"
    INFUSION_RESUME = "infusion_resume"
    INFUSION_END = "infusion_end"
    ESCORT = "escort"
    INSTRUCTIONS = "instructions"
    PRESCRIBER_DECISION = "prescriber_decision"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    RELEASE_SIGNED = "release_signed"
    DISCHARGED = "discharged"
    STOPPED = "stopped"


class Reply(StrEnum):
    """The answer to a question of the start or release gate."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


class DissociationLevel(StrEnum):
    """How far away from here the patient is, in three steps a nurse can tap."""

    NONE = "none"
    MILD = "mild"
    STRONG = "strong"


class Symptom(StrEnum):
    """What the patient feels or staff see; the urgent ones are named by the rules."""

    CHEST_PAIN = "chest_pain"
    SHORTNESS_OF_BREATH = "shortness_of_breath"
    SEVERE_HEADACHE = "severe_headache"
    VISUAL_DISTURBANCE = "visual_disturbance"
    SEIZURE = "seizure"
    REDUCED_CONSCIOUSNESS = "reduced_consciousness"
    NEUROLOGICAL_DEFICIT = "neurological_deficit"
    SYNCOPE = "syncope"
    SEVERE_AGITATION = "severe_agitation"
    NAUSEA = "nausea"
    VOMITING = "vomiting"
    DIZZINESS = "dizziness"
    VERTIGO = "vertigo"
    HEADACHE = "headache"
    ANXIETY = "anxiety"
    OTHER = "other"

    @property
    def words(self) -> str:
        """The symptom in plain words."""
        return self.value.replace("_", " ")


class Ruling(StrEnum):
    """What the prescriber decided about a stop."""

    GO_AHEAD = "go_ahead"
    HOLD = "hold"


class StopOutcome(StrEnum):
    """How a session ended that did not end by release."""

    NOT_STARTED = "not_started"
    EMERGENCY_TRANSFER = "emergency_transfer"
    LEFT_WITHOUT_RELEASE = "left_without_release"


@dataclass(frozen=True, slots=True)
class Payload:
    """What one event says. Every subclass names its ``kind``."""

    kind: ClassVar[EventKind]


@dataclass(frozen=True, slots=True)
class Arrived(Payload):
    """The patient is here and identified."""

    kind = EventKind.ARRIVED
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnswerGiven(Payload):
    """A question of the start or release gate was asked today and answered."""

    kind = EventKind.ANSWER
    question: str
    answer: Reply
    note: str = ""


_TEMPERATURE_C = (25.0, 45.0)


@dataclass(frozen=True, slots=True)
class Vitals(Payload):
    """Measured now; whatever was not measured stays empty."""

    kind = EventKind.VITALS
    systolic: int | None = None
    diastolic: int | None = None
    heart_rate: int | None = None
    oxygen_saturation: int | None = None
    respiratory_rate: int | None = None
    temperature_c: float | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, f.name) is None for f in fields(self)):
            raise ImpossibleValue("vital signs: at least one value is needed")
        if (self.systolic is None) != (self.diastolic is None):
            raise ImpossibleValue("blood pressure: both numbers are needed")
        if self.systolic is not None and self.diastolic is not None:
            BloodPressure(self.systolic, self.diastolic)
        for rate in (self.heart_rate, self.respiratory_rate):
            if rate is not None:
                Rate(rate)
        if self.oxygen_saturation is not None:
            Percent(self.oxygen_saturation)
        low, high = _TEMPERATURE_C
        if self.temperature_c is not None and not low <= self.temperature_c <= high:
            raise ImpossibleValue(f"temperature {self.temperature_c:g} °C: expected {low:g} to {high:g} °C")

    @property
    def blood_pressure(self) -> BloodPressure | None:
        """The two numbers as one value."""
        if self.systolic is None or self.diastolic is None:
            return None
        return BloodPressure(self.systolic, self.diastolic)


@dataclass(frozen=True, slots=True)
class Sedation(Payload):
    """Depth of sedation on MOAA/S, 5 (awake) to 0."""

    kind = EventKind.SEDATION
    moaas: int

    def __post_init__(self) -> None:
        if not 0 <= self.moaas <= 5:
            raise ImpossibleValue(f"MOAA/S {self.moaas}: expected 0 to 5")


@dataclass(frozen=True, slots=True)
class Dissociation(Payload):
    """How dissociated the patient is."""

    kind = EventKind.DISSOCIATION
    level: DissociationLevel


@dataclass(frozen=True, slots=True)
class SymptomSeen(Payload):
    """A symptom began (``present``) or is gone."""

    kind = EventKind.SYMPTOM
    symptom: Symptom
    present: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeviceGiven(Payload):
    """One nasal device, sprayed by the patient under observation."""

    kind = EventKind.DEVICE
    number: int
    lot: str
    expires_on: date
    two_green_dots_before: bool
    not_primed: bool
    no_green_dots_after: bool

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ImpossibleValue("device number: counting starts at 1")
        if not self.lot.strip():
            raise ImpossibleValue("lot: the lot of the device is needed")


@dataclass(frozen=True, slots=True)
class DosingEnded(Payload):
    """Dosing ended before the planned number of devices; what was given stands, nothing is replaced."""

    kind = EventKind.DOSING_ENDED
    reason: str

    def __post_init__(self) -> None:
        _needs(self.reason, "reason")


@dataclass(frozen=True, slots=True)
class InfusionStarted(Payload):
    """The infusion began."""

    kind = EventKind.INFUSION_START
    rate_mg_per_min: float
    planned_min: float
    lot: str
    expires_on: date
    site: str = ""

    def __post_init__(self) -> None:
        _positive(self.rate_mg_per_min, "rate")
        _positive(self.planned_min, "planned duration")
        _needs(self.lot, "lot")


@dataclass(frozen=True, slots=True)
class InfusionPaused(Payload):
    """The infusion stands still."""

    kind = EventKind.INFUSION_PAUSE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InfusionResumed(Payload):
    """The infusion runs again, at a new rate if one is given."""

    kind = EventKind.INFUSION_RESUME
    rate_mg_per_min: float | None = None

    def __post_init__(self) -> None:
        if self.rate_mg_per_min is not None:
            _positive(self.rate_mg_per_min, "rate")


@dataclass(frozen=True, slots=True)
class InfusionEnded(Payload):
    """The infusion is over, complete or not."""

    kind = EventKind.INFUSION_END
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EscortSeen(Payload):
    """The person who takes the patient home: on the way, or here."""

    kind = EventKind.ESCORT
    name: str
    here: bool

    def __post_init__(self) -> None:
        _needs(self.name, "name of the escort")


@dataclass(frozen=True, slots=True)
class InstructionsGiven(Payload):
    """The written aftercare sheet was handed over and explained."""

    kind = EventKind.INSTRUCTIONS
    to_escort: bool = False


@dataclass(frozen=True, slots=True)
class PrescriberDecision(Payload):
    """The prescriber decided about one stop, by rule id, with the reason."""

    kind = EventKind.PRESCRIBER_DECISION
    about: str
    ruling: Ruling
    reason: str

    def __post_init__(self) -> None:
        _needs(self.about, "rule")
        _needs(self.reason, "reason")


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Payload):
    """Somebody, by name, has seen an alert."""

    kind = EventKind.ALERT_ACKNOWLEDGED
    alert: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseSigned(Payload):
    """The prescriber has seen the patient and signs that the patient is clinically stable."""

    kind = EventKind.RELEASE_SIGNED
    note: str = ""


@dataclass(frozen=True, slots=True)
class Discharged(Payload):
    """The patient left, released."""

    kind = EventKind.DISCHARGED
    escort: str = ""


@dataclass(frozen=True, slots=True)
class Stopped(Payload):
    """The session ended otherwise than by release."""

    kind = EventKind.STOPPED
    outcome: StopOutcome
    reason: str

    def __post_init__(self) -> None:
        _needs(self.reason, "reason")


PAYLOADS: Mapping[EventKind, type[Payload]] = {
    p.kind: p
    for p in (
        Arrived, AnswerGiven, Vitals, Sedation, Dissociation, SymptomSeen, DeviceGiven, DosingEnded, InfusionStarted,
        InfusionPaused, InfusionResumed, InfusionEnded, EscortSeen, InstructionsGiven, PrescriberDecision,
        AlertAcknowledged, ReleaseSigned, Discharged, Stopped,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a session: what happened, when, by whose hand. ``key`` names it for good."""

    at: datetime
    what: Payload
    key: str = ""
    by: str = ""
    by_role: str = ""

    @property
    def kind(self) -> EventKind:
        """What kind of event this is."""
        return self.what.kind


_HINTS: dict[type[Payload], dict[str, Any]] = {model: get_type_hints(model) for model in PAYLOADS.values()}
_WANTED = {model: {f.name: f for f in fields(model)} for model in PAYLOADS.values()}


def read_payload(kind: str, data: Mapping[str, Any]) -> Payload:
    """Return the typed payload of one event; raises ``Refusal`` that says which field is wrong and why."""
    if kind not in PAYLOADS:
        raise Refusal("Recording", [f"{kind!r} is not a kind of event"], f"Choose one of: {', '.join(PAYLOADS)}.")
    model = PAYLOADS[EventKind(kind)]
    title = f"Recording {kind.replace('_', ' ')}"
    wanted, hints = _WANTED[model], _HINTS[model]
    wrong = [f"{name}: unknown field" for name in data if name not in wanted]
    values: dict[str, Any] = {}
    for name, field in wanted.items():
        if name not in data:
            if field.default is MISSING:
                wrong.append(f"{name}: missing")
            continue
        try:
            values[name] = _typed(data[name], hints[name])
            _check_text(name, values[name])
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise Refusal(title, wrong, "Correct the entry and send it again.")
    try:
        return model(**values)
    except ImpossibleValue as error:
        raise Refusal(title, [str(error)], "Measure or type it again.") from error


def payload_as_json(payload: Payload) -> dict[str, Any]:
    """Return a payload as JSON values; ``read_payload`` reads it back."""
    found: dict[str, Any] = to_jsonable(payload)
    return found


def _typed(value: Any, hint: Any) -> Any:
    if isinstance(hint, UnionType):
        if value is None:
            return None
        hint = next(t for t in get_args(hint) if t is not type(None))
    if hint is date:
        return _date(value)
    if issubclass(hint, StrEnum):
        if value not in tuple(hint):
            raise ValueError(f"{value!r} is not one of {', '.join(hint)}")
        return hint(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ValueError(f"expected {_WORDS[hint]}, got {value!r}")
    return value


LONGEST_TEXT = 1_000
"""Characters of a note or a reason: what is written down stays for ever, so nothing endless is taken."""
LONGEST_NAME = 160
"""Characters of everything that is a name: of a person, a lot, a question, a rule, an alert."""
_FREE_TEXT = ("note", "reason")


def _check_text(name: str, value: Any) -> None:
    fault = text_fault(value, free=name in _FREE_TEXT) if type(value) is str else None
    if fault is not None:
        raise ValueError(fault)


def text_fault(value: str, *, free: bool = True) -> str | None:
    """Return why a text is not taken, or ``None``: too long, or with control characters; ``free`` may have lines.

    Marks that letters of other scripts need, such as the joiners and the marks of direction, are no control characters.
    """
    longest = LONGEST_TEXT if free else LONGEST_NAME
    if len(value) > longest:
        return f"longer than {longest} characters"
    if any(category(c) in ("Cc", "Cs") and not (free and c in "\r\n\t") for c in value):
        return "contains characters that cannot be shown"
    return None


_WORDS: Mapping[type, str] = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError(f"expected a date such as 2026-11-23, got {value!r}")
    return date.fromisoformat(value)


def _needs(text: str, name: str) -> None:
    if not text.strip():
        raise ImpossibleValue(f"{name}: may not be empty")


def _positive(number: float, name: str) -> None:
    if not 0 < number < 10_000:
        raise ImpossibleValue(f"{name} {number:g}: expected a number above 0")
