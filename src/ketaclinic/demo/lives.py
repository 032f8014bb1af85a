"""Writes the life of one invented person into the ledger: registered, asked, decided, consented, planned, treated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from ketaclinic.consent.models import ConsentSignature, Product
from ketaclinic.demo.after import write_aftercare, write_benefit
from ketaclinic.demo.clinic import NAMES, DemoClinic
from ketaclinic.demo.courses import INFUSION, NASAL, draw_course, items_of, score_on
from ketaclinic.demo.ledger import Ledger
from ketaclinic.demo.life import Life
from ketaclinic.demo.visits import write_session
from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.people.models import Caregiver, Patient, Staff
from ketaclinic.planning.models import Booking, Plan, PlanEnd
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.actions import UNITS
from ketaclinic.screening.facts import facts_of
from ketaclinic.screening.models import (
    PRODUCTS,
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
    VitalSign,
)
from ketaclinic.screening.queries import History
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.models import RemsEnrolment
from ketacore.evidence import Setting, decision_as_json, to_jsonable
from ketacore.planning import PROTOCOLS, PlannedSession, planned_dose, series
from ketacore.scales import SCALES, band_of
from ketacore.screening import QUESTIONS, assess_candidacy
from ketacore.surveillance.screens import SCREENS

PROTOCOL_OF = {NASAL: "esketamine-trd-us", INFUSION: "ketamine-iv-clinic"}
INDUCTION_DAYS = {NASAL: 28, INFUSION: 14}
GRID = (time(8, 30), time(11, 15), time(14, 0))
_ANTIDEPRESSANTS = (
    ("sertraline", 200),
    ("escitalopram", 20),
    ("venlafaxine", 225),
    ("bupropion", 300),
    ("duloxetine", 60),
)


@dataclass
class World:
    """Where and when the demo plays."""

    home: DemoClinic
    at: datetime
    settings: dict[str, Setting]
    taken: dict[date, int] = field(default_factory=dict)

    @classmethod
    def of(cls, home: DemoClinic, at: datetime) -> World:
        """Return the world of a founded clinic, with its signed policies read once."""
        return cls(home, at, {product: setting_of(home.clinic, at, product) for product in PRODUCTS})

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return self.home.clinic.zone

    @property
    def today(self) -> date:
        """The clinic's day."""
        return self.home.clinic.day_of(self.at)

    def when(self, day: date, at: time) -> datetime:
        """Return a moment of a clinic day; never later than the demo's now for a day up to today."""
        moment = datetime.combine(day, at, self.zone)
        return min(moment, self.at - timedelta(minutes=5)) if day <= self.today else moment

    def place_on(self, day: date) -> tuple[datetime, int] | None:
        """Take the next free chair of a day to come; ``None`` when the day is full."""
        number = self.taken.get(day, 0)
        chairs = self.home.clinic.chairs
        if number >= chairs * len(GRID):
            return None
        self.taken[day] = number + 1
        return datetime.combine(day, GRID[number // chairs], self.zone), number % chairs + 1


def write_person(
    ledger: Ledger,
    world: World,
    random: Random,
    number: int,
    product: str,
    *,
    registered_on: date,
    maintained: bool = True,
) -> Life:
    """Take a new person in, with someone who looks after them."""
    female = random.random() < 0.6
    patient = Patient(
        clinic=world.home.clinic,
        record_number=f"K-{20_000 + number}",
        given_name=random.choice(NAMES["female" if female else "male"]),
        family_name=random.choice(NAMES["family"]),
        birth_date=registered_on - timedelta(days=random.randint(21 * 365, 64 * 365)),
        sex=Patient.Sex.FEMALE if female else Patient.Sex.MALE,
        phone=f"+1 555 01{random.randint(0, 99):02d}",
        language="es" if random.random() < 0.08 else "en",
        registered_at=world.when(registered_on, time(9, random.randint(0, 59))),
        synthetic=True,
    )
    ledger.add(patient)
    ledger.add(
        Caregiver(
            clinic=world.home.clinic,
            patient=patient,
            name=f"{random.choice(NAMES['female'])} {patient.family_name}",
            relationship=random.choice(NAMES["relations"]),
            phone=f"+1 555 01{random.randint(0, 99):02d}",
            synthetic=True,
        )
    )
    return Life(patient, product, draw_course(random, product, maintained=maintained), random)


def write_history(
    ledger: Ledger, world: World, life: Life, day: date, *, asked: float = 1.0, yes: tuple[str, ...] = ()
) -> History:
    """Write the history down; ``asked`` is the share of questions that were asked, ``yes`` what stands against it."""
    at, nurse, patient = world.when(day, time(10, 0)), world.home.nurse, life.patient
    problem = ledger.row(
        Problem,
        patient,
        at,
        nurse,
        display="Major depressive disorder",
        status="active",
        onset_on=day - timedelta(days=life.random.randint(700, 5000)),
    )
    ledger.line(problem, "screening", "problem", problem.display)
    drug, dose = life.random.choice(_ANTIDEPRESSANTS)
    medication = ledger.row(
        Medication,
        patient,
        at,
        nurse,
        display=drug,
        ingredient=drug,
        dose_text=f"{dose} mg daily",
        started_on=day - timedelta(days=90),
        status="active",
    )
    ledger.line(medication, "screening", "medication", f"Takes {drug} {dose} mg daily")
    trials = [_write_trial(ledger, life, at, nurse, day, n) for n in range(2)]
    pressure = _write_vitals(ledger, life, at, nurse)
    answers = _write_answers(ledger, world, life, at, asked, yes)
    return History(patient, at, answers, [problem], [], [], [medication], trials, pressure)


def _write_trial(ledger: Ledger, life: Life, at: datetime, by: Staff, day: date, number: int) -> AntidepressantTrial:
    drug, dose = _ANTIDEPRESSANTS[(life.patient.birth_date.day + number) % len(_ANTIDEPRESSANTS)]
    start = day - timedelta(days=500 - 180 * number)
    trial = ledger.row(
        AntidepressantTrial,
        life.patient,
        at,
        by,
        drug=drug,
        max_daily_dose_mg=Decimal(dose),
        started_on=start,
        ended_on=start + timedelta(days=70),
        days_at_dose=49,
        outcome="none",
        reason_stopped="lack_of_effect",
        adherence="adequate",
        current_episode=True,
        source="records",
    )
    ledger.line(trial, "screening", "trial", f"Antidepressant trial: {drug} {dose} mg", "No response")
    return trial


def _write_vitals(ledger: Ledger, life: Life, at: datetime, by: Staff) -> VitalSign:
    course = life.course
    pressure = write_vital(ledger, life, at, by, "blood_pressure", course.systolic, course.diastolic)
    write_vital(ledger, life, at, by, "heart_rate", course.heart_rate)
    write_vital(ledger, life, at, by, "oxygen_saturation", life.random.randint(96, 99))
    write_vital(ledger, life, at, by, "weight", course.weight_kg)
    write_vital(ledger, life, at, by, "height", life.random.randint(155, 190))
    return pressure


def write_vital(
    ledger: Ledger, life: Life, at: datetime, by: Staff, kind: str, value: float, second: int | None = None
) -> VitalSign:
    """Write one measurement with its line."""
    row = ledger.row(
        VitalSign,
        life.patient,
        at,
        by,
        kind=kind,
        value=Decimal(str(value)),
        value_2=None if second is None else Decimal(second),
        unit=UNITS[kind],
    )
    shown = f"{value}/{second}" if second is not None else f"{value}"
    ledger.line(row, "screening", "vital", f"{VitalSign.Kind(kind).label} {shown} {UNITS[kind]}")
    return row


def _write_answers(
    ledger: Ledger, world: World, life: Life, at: datetime, asked: float, yes: tuple[str, ...]
) -> dict[str, HistoryAnswer]:
    told: dict[str, HistoryAnswer] = {}
    usual = {"oral_antidepressant": "yes", "ssri_or_snri": "yes", "medicines_reviewed": "yes"}
    given = {"indication": "TRD", "child_pugh": "none"}
    for name, question in QUESTIONS.items():
        if question.kind not in ("yes_no", "choice") or (life.random.random() > asked and name not in yes):
            continue
        answer = "given" if name in given else "yes" if name in yes else usual.get(name, "no")
        by = world.home.prescriber if question.of == "prescriber" else world.home.nurse
        value = given.get(name, "")
        row = ledger.row(HistoryAnswer, life.patient, at, by, question=name, answer=answer, value=value, note="")
        words = question.choices.get(value, value) if value else HistoryAnswer.Answer(answer).label
        ledger.line(row, "screening", "answer", f"{question.ask} {words}")
        told[name] = row
    return told


def write_decision(
    ledger: Ledger, world: World, life: Life, history: History, day: date, verdict: str, reason: str
) -> None:
    """Write the prescriber's decision with the core's assessment as it was made."""
    at, by = world.when(day, time(11, 30)), world.home.prescriber
    facts = facts_of(replace(history, at=at))
    assessed = assess_candidacy(facts, world.settings[life.product])
    stored = ledger.row(
        StoredDecision,
        life.patient,
        at,
        by,
        room="screening",
        question=assessed.question,
        outcome=assessed.outcome,
        rule_pack=assessed.rule_pack,
        facts=to_jsonable(facts),
        decision=decision_as_json(assessed),
    )
    row = ledger.row(
        CandidacyDecision,
        life.patient,
        at,
        by,
        product=life.product,
        verdict=verdict,
        reason=reason,
        decision=stored,
        overrides={},
        second_signer=None,
    )
    label = CandidacyDecision.Verdict(verdict).label
    ledger.line(row, "screening", "candidacy", f"{label}: {PRODUCTS[life.product]}", reason)


def write_consent(ledger: Ledger, world: World, life: Life, day: date) -> None:
    """Write the signature under the text in force."""
    at, nurse, text = world.when(day, time(14, 0)), world.home.nurse, world.home.texts[life.product]
    row = ledger.row(
        ConsentSignature,
        life.patient,
        at,
        nurse,
        text=text,
        product=life.product,
        patient_name=str(life.patient),
        witness=nurse,
        language=text.language,
        interpreter="",
        copy_given=True,
        capacity_assessed=True,
        questions_answered=True,
        teach_back=[{**q, "said_back": True} for q in text.questions],
        registry_research=life.random.random() < 0.7,
    )
    detail = f"Version {text.version}, witnessed by {nurse.display_name}"
    ledger.line(row, "consent", "consent_signed", f"Consent signed: {Product(life.product).label}", detail)
    if life.product == NASAL:
        enrolled = ledger.row(RemsEnrolment, life.patient, at, nurse, enrolled=True, enrolled_on=day, note="")
        ledger.line(enrolled, "treatment", "rems_enrolment", str(enrolled))


def write_plan(ledger: Ledger, world: World, life: Life, day: date, first_on: date) -> Plan:
    """Write the signed plan of the product's protocol."""
    protocol = PROTOCOLS[PROTOCOL_OF[life.product]]
    at, by = world.when(day, time(15, 0)), world.home.prescriber
    dose: dict[str, Any]
    if life.product == NASAL:
        dose = {"dose_mg": Decimal(84 if life.random.random() < 0.6 else 56)}
        words = f"{dose['dose_mg']} mg"
    else:
        weight, each = Decimal(str(life.course.weight_kg)), Decimal(str(protocol.first_dose))
        dose = {
            "dose_mg_per_kg": each,
            "dose_mg": (weight * each).quantize(Decimal("0.01")),
            "weight_kg": weight,
            "weight_measured_on": day - timedelta(days=1),
        }
        words = f"{each.normalize():f} mg/kg, {dose['dose_mg']} mg for {weight} kg"
    plan = ledger.row(
        Plan,
        life.patient,
        at,
        by,
        protocol_id=protocol.protocol_id,
        protocol_version=protocol.version,
        product=life.product,
        starts_on=first_on,
        customised={},
        goals="",
        signed_by=by,
        **dose,
    )
    ledger.line(plan, "planning", "plan_signed", f"Plan signed: {protocol.title}", words)
    life.plan, life.first_on = plan, first_on
    return plan


def write_end(ledger: Ledger, world: World, life: Life, day: date, why: str, reason: str) -> None:
    """Write the end of the plan."""
    assert life.plan is not None
    row = ledger.row(
        PlanEnd,
        life.patient,
        world.when(day, time(16, 0)),
        world.home.prescriber,
        plan=life.plan,
        why=why,
        reason=reason,
    )
    ledger.line(row, "planning", "plan_ended", f"Plan ended: {row.get_why_display()}", reason)


def sessions_of_plan(life: Life, until: date) -> list[PlannedSession]:
    """Return the dated sessions of the plan up to a day."""
    assert life.first_on is not None
    weeks = (until - life.first_on).days // 7 + 1
    planned = series(PROTOCOLS[PROTOCOL_OF[life.product]], life.first_on, weeks=max(weeks, 1), interval_weeks=None)
    return [session for session in planned if session.on <= until]


def write_course(
    ledger: Ledger,
    world: World,
    life: Life,
    *,
    ahead_days: int = 21,
    last_on: date | None = None,
    on_floor: date | None = None,
) -> None:
    """Write the sessions given so far with their scores, and book the ones to come.

    ``on_floor``: the day of the session that is being given now, where that is not today's.
    """
    assert life.plan is not None and life.first_on is not None
    plan, protocol = life.plan, PROTOCOLS[PROTOCOL_OF[life.product]]
    booked, today = 0, on_floor or world.today
    for session in sessions_of_plan(life, last_on or world.today + timedelta(days=ahead_days)):
        if session.on < today:
            starts, chair = world.when(session.on, life.random.choice(GRID)), life.random.randint(1, 6)
        elif session.on == today:
            starts, chair = world.at, 1
        else:
            place = world.place_on(session.on)
            if place is None:
                continue
            starts, chair = place
        booking = ledger.row(
            Booking,
            life.patient,
            plan.at,
            world.home.nurse,
            plan=plan,
            number=session.number,
            phase=session.phase,
            planned_on=session.on,
            starts_at=starts,
            minutes=protocol.chair_minutes,
            chair=chair,
        )
        booked += 1
        if session.on < today:
            dose = plan.dose_mg or Decimal(0)
            mg = Decimal(str(planned_dose(protocol, session.number, float(dose)))) if life.product == NASAL else dose
            held, left_at = write_session(ledger, world.home, life, booking, mg)
            write_aftercare(ledger, world.home, world.settings[life.product], held, left_at, world.at)
            life.given += 1
        elif session.on == today:
            life.booking_today = booking
    if booked:
        ledger.line(plan, "planning", "series_booked", f"{booked} sessions booked")
    judged_on = life.first_on + timedelta(days=INDUCTION_DAYS[life.product])
    if judged_on < (last_on or world.today):
        write_benefit(ledger, world.home, life, world.when(judged_on, time(12, 30)))
    write_scores(ledger, world, life, last_on or world.today)


def write_scores(ledger: Ledger, world: World, life: Life, until: date) -> None:
    """Write PHQ-9 and GAD-7 before, every week of the induction, and every two weeks after."""
    assert life.first_on is not None
    induction = INDUCTION_DAYS[life.product]
    day, n = -7, 0
    while life.first_on + timedelta(days=day) < until:
        total = min(24, score_on(life.course, life.random, days=day, induction_days=induction))
        on = life.first_on + timedelta(days=day)
        write_score(ledger, world, life, "phq9", on, total)
        if n % 2 == 0:
            write_score(ledger, world, life, "gad7", on, min(21, round(total * 0.75)))
        day, n = (day + 7 if day < induction else day + 14), n + 1


def write_score(ledger: Ledger, world: World, life: Life, instrument: str, day: date, total: int) -> ScaleAnswer:
    """Write one complete form whose answers add up to ``total``."""
    scale = SCALES[instrument]
    at = world.when(day, time(8, 15))
    items = items_of(life.random, total, suicide_item=0) if instrument == "phq9" else _spread(life.random, total, 7)
    band = band_of(scale, total).name
    row = ledger.row(
        ScaleAnswer,
        life.patient,
        at,
        world.home.nurse,
        instrument=instrument,
        version=scale.version,
        answers={item.key: value for item, value in zip(scale.items, items, strict=True)},
        total=total,
        band=band,
        complete=True,
        entry_key=ledger.key(instrument),
    )
    ledger.line(row, "followup", "score", f"{scale.name}: {total} of {scale.highest}, {band}")
    return row


def _spread(random: Random, total: int, number: int) -> list[int]:
    answers = [0] * number
    for _ in range(total):
        answers[random.choice([i for i, value in enumerate(answers) if value < 3])] += 1
    return answers


def write_screens(ledger: Ledger, world: World, life: Life, day: date) -> None:
    """Write that the long-term screens were done on a day, with nothing found."""
    for screen in SCREENS:
        row = ledger.row(
            ScreenResult,
            life.patient,
            world.when(day, time(12, 0)),
            world.home.nurse,
            kind=screen.kind,
            result="nothing_found",
            value="",
            note="",
            entry_key=ledger.key("screen"),
        )
        ledger.line(row, "surveillance", "screen", f"{screen.title}: nothing found")
