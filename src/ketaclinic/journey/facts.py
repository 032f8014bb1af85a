"""The doorway to the core: what the record holds becomes the dates of one person's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.maintenance.facts import Judged, next_session_facts
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketaclinic.planning.queries import session_dose_mg
from ketaclinic.surveillance.facts import surveillance_facts
from ketaclinic.surveillance.models import ScreenResult
from ketaclinic.treatment.queries import GivenSession
from ketacore.consent import ConsentFacts, SignedConsent, Withdrawal, consent_valid
from ketacore.evidence import Fact, Setting
from ketacore.journey import INDUCTION_PHASES, Consent, JourneyFacts, Verdict
from ketacore.maintenance import NextSessionFacts
from ketacore.planning import PROTOCOLS
from ketacore.surveillance import SurveillanceFacts


@dataclass(slots=True)
class Given:
    """A session in which drug was given: when, in which course, in which phase of the protocol."""

    session_id: int
    at: datetime
    course: int
    phase: str


@dataclass(slots=True)
class Course:
    """What the chart of one patient shows beside the way; a list of many patients leaves it empty.

    ``missed`` are course and time of bookings that were not kept, ``judged`` the newest benefit evaluation of each
    course, ``screens`` the newest result of each kind, ``pressure_at`` when a blood pressure was last measured.
    """

    missed: list[tuple[int, datetime]] = field(default_factory=list)
    judged: dict[int, Judged] = field(default_factory=dict)
    screens: dict[str, ScreenResult] = field(default_factory=dict)
    pressure_at: datetime | None = None


@dataclass(slots=True)
class Way:
    """What the record holds about one patient's way so far; times as they were written.

    ``verdict`` is the newest about ``product``; without a plan, *treat* if that stands for any product. ``renewing``
    are the days on which a text with a new material risk came into force for the product.
    """

    patient: Patient
    screening_began_at: datetime | None = None
    verdict: str = ""
    verdict_at: datetime | None = None
    product: str = ""
    signatures: list[SignedConsent] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    renewing: tuple[date, ...] = ()
    plan: Plan | None = None
    plan_at: datetime | None = None
    ended_at: datetime | None = None
    given: list[Given] = field(default_factory=list)
    next_session_at: datetime | None = None
    course: Course = field(default_factory=Course)

    @property
    def consent_at(self) -> datetime | None:
        """When the newest complete consent for the product was signed, whether it still stands or not."""
        mine = [s.signed_at for s in self.signatures if s.product == self.product and not s.lacks]
        return max(mine, default=None)

    @property
    def withdrawn_at(self) -> datetime | None:
        """When consent for the product was last taken back."""
        return max((w.at for w in self.withdrawals if w.product == self.product), default=None)


def facts_of(way: Way, clinic: Clinic, setting: Setting) -> JourneyFacts:
    """Return the facts of a way; days are the clinic's own, the day and the policies those of ``setting``."""
    later = [g for g in way.given if g.phase and g.phase not in INDUCTION_PHASES]

    def day(at: datetime | None) -> date | None:
        return clinic.day_of(at) if at is not None else None

    return JourneyFacts(
        registered_on=clinic.day_of(way.patient.registered_at),
        screening_began_on=day(way.screening_began_at),
        verdict=Verdict(way.verdict) if way.verdict else None,
        verdict_on=day(way.verdict_at),
        product=way.product,
        consent=_consent(way, setting),
        consent_signed_on=day(way.consent_at),
        consent_withdrawn_on=day(way.withdrawn_at),
        plan_signed_on=day(way.plan_at),
        plan_ended_on=day(way.ended_at),
        sessions_given=len(way.given),
        first_given_on=day(way.given[0].at) if way.given else None,
        last_given_on=day(way.given[-1].at) if way.given else None,
        phase=way.given[-1].phase if way.given else "",
        maintenance_since=day(later[0].at) if later else None,
        next_session_on=day(way.next_session_at),
        deceased_on=way.patient.deceased_on,
    )


def _consent(way: Way, setting: Setting) -> Consent | None:
    """Return what the consent room says about the product; ``None`` while no product was decided on.

    As at the session gate, a limit that could not be looked at leaves the consent for a plan unknown, not valid.
    """
    if not way.product:
        return None
    facts = ConsentFacts(
        signatures=Fact.of(tuple(way.signatures), "consent signatures"),
        withdrawals=Fact.of(tuple(way.withdrawals), "consent withdrawals"),
        renewing_texts=Fact.of(way.renewing, "consent texts of this clinic"),
        planned_dose=_planned_dose(way),
    )
    decision = consent_valid(facts, replace(setting, product=way.product))
    said = Consent(decision.outcome)
    return Consent.NOT_KNOWN if said is Consent.VALID and way.plan is not None and decision.missing else said


def _planned_dose(way: Way) -> Fact[float]:
    """Return the dose of the next session under the plan, in the unit in which a consent text names its highest."""
    plan = way.plan
    if plan is None:
        return Fact.not_asked()
    if plan.dose_mg_per_kg is not None:
        return Fact.of(float(plan.dose_mg_per_kg), "plan")
    dose = session_dose_mg(plan, len(way.given) + 1) if plan.protocol_id in PROTOCOLS else plan.dose_mg
    return Fact.not_known("no dose planned") if dose is None else Fact.of(float(dose), "plan")


def proposal_facts(
    way: Way, plan: Plan, sessions: Sequence[GivenSession], scores: Sequence[ScaleAnswer], setting: Setting
) -> NextSessionFacts:
    """Return what maintenance asks about the next session, from rows read for the chart already."""
    clinic = way.patient.clinic
    begun = sorted((s.started_at, s.session.plan.course_id) for s in sessions)
    last_at = max((at for at, course in begun if course == plan.course_id), default=None)
    missed = [at for course, at in way.course.missed if course == plan.course_id]
    return next_session_facts(
        plan,
        [(course, clinic.day_of(at)) for at, course in begun],
        scores,
        begun[0][0] if begun else None,
        setting,
        sum(last_at is None or at > last_at for at in missed),
        way.course.judged.get(plan.course_id),
    )


def screen_facts(way: Way, plan: Plan, sessions: Sequence[GivenSession], at: datetime) -> SurveillanceFacts:
    """Return what surveillance asks about the long-term screens, from rows read for the chart already."""
    clinic = way.patient.clinic
    given = sorted((s.opened_at, s.session.plan.course_id) for s in sessions)
    days = [(course, clinic.day_of(opened)) for opened, course in given]
    return surveillance_facts(plan, days, way.course.screens.values(), way.course.pressure_at, clinic, at)
