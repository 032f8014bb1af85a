"""From the rows of a session, and what other rooms know, to the facts the core is asked with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from ketaclinic.consent.facts import facts_of_products
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketaclinic.policy.queries import setting_of
from ketaclinic.record.models import StoredDecision
from ketaclinic.screening.models import CandidacyDecision
from ketaclinic.treatment.models import GIVING_KINDS, RemsEnrolment, Session, SessionEvent
from ketacore.consent import ConsentFacts, consent_valid
from ketacore.evidence import Effect, Fact, Setting
from ketacore.planning import FITS, PROTOCOLS, Protocol, assess_day, assess_dose, phase_on, planned_dose
from ketacore.planning.decide import dose_facts
from ketacore.treatment import NASAL, Event, SessionFacts, in_order


def given_before(session: Session, at: datetime) -> tuple[Decimal | None, int]:
    """Return the dose the plan means today for a session not opened yet, and how many were given before it."""
    known = _Known(session.clinic, [session], at)
    return known.dose_today(session), known.given[session.pk].count


def course_of(session: Session, events: Iterable[Event]) -> SessionFacts:
    """Return the session as its own events tell it; what other rooms know stays "not asked"."""
    return SessionFacts(
        product=session.product,
        dose_mg=_number(session.dose_mg, "dose of today"),
        infusion_min=_number(session.infusion_min, "protocol"),
        events=in_order(tuple(events)),
    )


def _number(value: Decimal | int | None, source: str) -> Fact[float]:
    return Fact.not_asked() if value is None else Fact.of(float(value), source)


def facts_of(session: Session, at: datetime, signed: Setting | None = None) -> SessionFacts:
    """Return everything the core needs to know about one session at ``at``; ``signed`` as for ``with_gates``."""
    rows = SessionEvent.objects.of(session.clinic).filter(session=session, at__lte=at).standing()
    course = course_of(session, [row.as_event() for row in rows.select_related("recorded_by")])
    return with_gates(session.clinic, [(session, course)], at, signed)[session.pk]


def with_gates(
    clinic: Clinic, courses: Collection[tuple[Session, SessionFacts]], at: datetime, signed: Setting | None = None
) -> dict[int, SessionFacts]:
    """Return the facts of many sessions with what consent, planning, screening and the REMS say, set by set.

    ``signed`` is the clinic's setting where the caller has read it already.
    """
    known = _Known(clinic, [session for session, _ in courses], at, signed)
    for session, _ in courses:
        if session._state.adding:
            session.dose_mg = known.dose_today(session)
    return {session.pk: replace(course, **known.gates_of(session)) for session, course in courses}


@dataclass(frozen=True, slots=True)
class _Given:
    """The last dose given before this session, and the first of its course."""

    previous_mg: float | None
    days: tuple[date, ...]

    @property
    def first_on(self) -> date | None:
        """The first day of the course."""
        return self.days[0] if self.days else None

    @property
    def count(self) -> int:
        """How many sessions were given."""
        return len(self.days)


class _Known:
    """What other rooms know about the patients of some sessions, read with a fixed number of queries."""

    def __init__(
        self, clinic: Clinic, sessions: Collection[Session], at: datetime, signed: Setting | None = None
    ) -> None:
        self.clinic, self.at = clinic, at
        self.patient_ids = {s.patient_id for s in sessions}
        self.products = sorted({s.product for s in sessions})
        here = signed if signed is not None else setting_of(clinic, at)
        self.settings = {p: replace(here, product=p) for p in self.products}
        self.patients = self._patients()
        self.given = self._given(sessions)
        self.consent = self._consent(sessions)

    def dose_today(self, session: Session) -> Decimal | None:
        """Return the dose the plan means for a session not opened yet; a dose in mg begins with the first-day dose."""
        protocol, plan = PROTOCOLS.get(session.plan.protocol_id), session.plan
        if protocol is None or plan.dose_mg is None:
            return plan.dose_mg
        return Decimal(str(planned_dose(protocol, self.given[session.pk].count + 1, float(plan.dose_mg))))

    def gates_of(self, session: Session) -> dict[str, Any]:
        """Return the facts of the start gate that are not events of the session."""
        return {
            "consent_valid": self.consent[session.product][session.patient_id],
            "plan_active": self._plan(session),
            "candidate": self._verdict(session),
            "dose_allowed": self._dose_allowed(session),
            "weight_usable": self._weight(session),
            "day_allowed": self._day_allowed(session),
            "rems_enrolled": self._enrolled(session),
            "setting_certified": self._certified(),
        }

    def _consent(self, sessions: Collection[Session]) -> Mapping[str, Mapping[int, Fact[bool]]]:
        asked = {p: [s.patient_id for s in sessions if s.product == p] for p in self.products}
        doses = {(s.product, s.patient_id): self._dose(s) for s in sessions}
        return {
            product: {pk: self._consented(known, self.settings[product]) for pk, known in facts.items()}
            for product, facts in facts_of_products(self.clinic, asked, self.at, doses).items()
        }

    def _consented(self, known: ConsentFacts, setting: Setting) -> Fact[bool]:
        """A signed limit that could not be looked at, for lack of a fact, leaves consent unknown, not valid."""
        decision = consent_valid(known, setting)
        if decision.outcome == "valid" and decision.missing:
            return Fact.not_known(f"{', '.join(decision.missing)} not known")
        return Fact.of(decision.outcome == "valid", decision.outcome.replace("_", " "), self.at)

    def _dose(self, session: Session) -> Fact[float]:
        """Return today's dose in the unit in which the consent text names its highest."""
        dose = self.dose_today(session) if session.dose_mg is None else session.dose_mg
        if session.product == NASAL:
            return Fact.not_known("no dose planned") if dose is None else Fact.of(float(dose), "dose of today")
        if session.weight_kg and dose is not None:
            return Fact.of(round(float(dose / session.weight_kg), 2), "dose of today")
        planned = session.plan.dose_mg_per_kg
        return Fact.not_known("no dose planned") if planned is None else Fact.of(float(planned), "plan")

    def _patients(self) -> Mapping[int, Patient]:
        """Return the patients, each with the newest verdict and whether a plan stands, per product, in one query."""
        newest = CandidacyDecision.objects.of(self.clinic).current().filter(patient=OuterRef("pk"), at__lte=self.at)
        plans = Plan.objects.of(self.clinic).standing_at(self.at).filter(patient=OuterRef("pk"))
        enrolled = RemsEnrolment.objects.of(self.clinic).current().filter(patient=OuterRef("pk"), at__lte=self.at)
        looked = StoredDecision.objects.of(self.clinic).filter(patient=OuterRef("pk"), at__lte=self.at)
        looked = looked.filter(room="screening", question="candidacy")
        known: dict[str, Any] = {"rems": Subquery(enrolled.order_by("-at", "-pk").values("enrolled")[:1])}
        for n, product in enumerate(self.products):
            decided = newest.filter(product=product).order_by("-at", "-pk")
            known |= {f"verdict_{n}": Subquery(decided.values("verdict")[:1])}
            known |= {f"then_{n}": Subquery(decided.values("decision__decision")[:1])}
            assessed = looked.filter(decision__product=product).order_by("-at", "-pk")
            known |= {f"now_{n}": Subquery(assessed.values("decision")[:1])}
            known |= {f"plan_{n}": Exists(plans.filter(product=product))}
        found = Patient.objects.of(self.clinic).filter(pk__in=self.patient_ids).annotate(**known)
        return {patient.pk: patient for patient in found}

    def _told(self, session: Session, name: str) -> Any:
        return getattr(self.patients[session.patient_id], f"{name}_{self.products.index(session.product)}")

    def _plan(self, session: Session) -> Fact[bool]:
        return Fact.of(bool(self._told(session, "plan")), "plan", session.plan.at)

    def _verdict(self, session: Session) -> Fact[bool]:
        verdict = self._told(session, "verdict")
        if verdict is None:
            return Fact.not_asked()
        if verdict != CandidacyDecision.Verdict.TREAT:
            return Fact.of(False, f"decision: {verdict}")
        since = self._new_stops(session)
        return Fact.of(not since, f"not known at the decision: {'; '.join(since)}" if since else "decision: treat")

    def _new_stops(self, session: Session) -> list[str]:
        """Return what stops the treatment by the newest assessment and had not fired when the prescriber decided."""
        then, now = self._told(session, "then") or {}, self._told(session, "now") or {}
        known = {rule["rule_id"] for rule in then.get("fired", ())}
        return [
            f"{rule['title']} ({rule['rule_id']})"
            for rule in now.get("fired", ())
            if Effect(rule["effect"]).stops and rule["rule_id"] not in known
        ]

    def _enrolled(self, session: Session) -> Fact[bool]:
        enrolled = self.patients[session.patient_id].rems  # type: ignore[attr-defined]
        return Fact.not_asked() if enrolled is None else Fact.of(bool(enrolled), "REMS enrolment")

    def _certified(self) -> Fact[bool]:
        certified = self.clinic.rems_certified(self.clinic.day_of(self.at))
        return Fact.not_asked() if certified is None else Fact.of(certified, "clinic record")

    def _given(self, sessions: Collection[Session]) -> dict[int, _Given]:
        """Return per session what was given before it in the same course of treatment."""
        courses = {s.plan.course_id for s in sessions}
        giving = SessionEvent.objects.filter(session=OuterRef("pk"), kind__in=GIVING_KINDS, at__lte=self.at).standing()
        rows = (
            Session.objects.of(self.clinic)
            .filter(Exists(giving), patient_id__in=self.patient_ids, at__lte=self.at)
            .select_related("plan")
            .order_by("at", "pk")
        )
        earlier: dict[int, list[Session]] = defaultdict(list)
        for row in rows:
            if row.plan.course_id in courses:
                earlier[row.plan.course_id].append(row)
        found = {}
        for session in sessions:
            before = [s for s in earlier[session.plan.course_id] if s.pk != session.pk and s.at <= session.at]
            last = before[-1].dose_mg if before else None
            days = tuple(self.clinic.day_of(s.at) for s in before)
            found[session.pk] = _Given(None if last is None else float(last), days)
        return found

    def _day_allowed(self, session: Session) -> Fact[bool]:
        protocol = PROTOCOLS.get(session.plan.protocol_id)
        if protocol is None:
            return Fact.not_known("the protocol is not known to this release")
        setting = replace(self.settings[session.product], on=self.clinic.day_of(session.at))
        decision = assess_day(protocol, self.given[session.pk].days, setting)
        because = "; ".join(b for f in decision.fired or decision.findings for b in f.because)
        return Fact.of(decision.outcome == FITS, because)

    def _dose_allowed(self, session: Session) -> Fact[bool]:
        protocol, given = PROTOCOLS.get(session.plan.protocol_id), self.given[session.pk]
        if protocol is None or session.dose_mg is None:
            return Fact.not_asked()
        dose = session.plan.dose_mg_per_kg if protocol.dose_unit == "mg/kg" else session.dose_mg
        phase = phase_of(session, protocol, given.first_on, given.count, self.clinic.day_of(self.at))
        if dose is None or phase is None:
            return Fact.not_asked()
        asked = dose_facts(protocol, float(dose), phase, given.previous_mg, infusion_min=session.infusion_min)
        outcome = assess_dose(protocol, asked, self.settings[session.product]).outcome
        signed = session.dose_reason.strip() or dose in (session.plan.dose_mg, session.plan.dose_mg_per_kg)
        if outcome == "cannot_decide":
            return Fact.not_known(protocol.title)
        return Fact.of(outcome == "allowed" or (outcome == "needs_reason" and bool(signed)), protocol.title)

    def _weight(self, session: Session) -> Fact[bool]:
        if session.product == NASAL or session.weight_kg is None:
            return Fact.not_asked()
        return Fact.of(True, f"{session.weight_kg:g} kg")


def phase_of(session: Session, protocol: Protocol, first_on: date | None, given: int, on: date) -> str | None:
    """Return the protocol phase a session belongs to: as booked, or by the days since the first dose."""
    if session.booking is not None:
        return session.booking.phase
    if first_on is None:
        return protocol.phases[0].phase_id
    place = phase_on(protocol, first_on, on, given=given)
    # Beyond the end the limits of the last phase hold; that there is a session at all is the prescriber's decision.
    return place.phase.phase_id if place and place.phase else protocol.phases[-1].phase_id
