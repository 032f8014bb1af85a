"""The chart: where the person is, what happened, what is next and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ketaclinic.followup.models import ScaleAnswer
from ketaclinic.followup.presenters.course import ScoreCourse, score_course
from ketaclinic.followup.queries import scores_of
from ketaclinic.journey import queries
from ketaclinic.journey.facts import Way, facts_of, proposal_facts, screen_facts
from ketaclinic.journey.presenters.lists import TimelineLine, stage_word, timeline_lines
from ketaclinic.journey.presenters.words import PRODUCT_WORDS, address, count_words, day_words
from ketaclinic.maintenance.facts import INSTRUMENT
from ketaclinic.people.models import Clinic, Patient
from ketaclinic.planning.models import Plan
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening.actions import assess
from ketacore.evidence import Setting
from ketacore.evidence.as_json import decision_as_json
from ketacore.journey import Consent, JourneyFacts, Outcome, Stage, Standing, consent_of, where
from ketacore.maintenance import Proposal, next_session_due
from ketacore.planning import PROTOCOLS
from ketacore.surveillance import ScreenDue, Stand, screens_due

CHART_LINES = 12


@dataclass(frozen=True, slots=True)
class StageMark:
    """One station of the pathway line."""

    name: str
    note: str
    state: str
    url: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What the screening found: stops, cautions and unknowns open, what is fine folded away."""

    told: str
    fired: tuple[Mapping[str, Any], ...]
    unknown: tuple[Mapping[str, Any], ...]
    clear: tuple[Mapping[str, Any], ...]
    summary: str


@dataclass(frozen=True, slots=True)
class PlanCard:
    """The plan in words: pairs of word and value."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DueLine:
    """Something that is due: what, when or why, and how urgent."""

    what: str
    when: str
    why: str
    state: str


@dataclass(frozen=True, slots=True)
class Allergies:
    """What is known about allergies: told, asked and denied, or never asked."""

    words: str
    state: str
    listed: tuple[queries.Filed, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the chart page shows."""

    standing: Standing
    where: str
    age: int
    allergies: Allergies
    pathway: tuple[StageMark, ...]
    scores: ScoreCourse
    findings: Findings | None
    plan: PlanCard | None
    consent: str
    proposal: Proposal | None
    proposed: str
    screens: tuple[DueLine, ...]
    medicines: tuple[queries.Filed, ...]
    problems: tuple[queries.Filed, ...]
    today: tuple[TimelineLine, ...]
    lines: list[TimelineLine]
    more: bool
    actions: tuple[tuple[str, str, str], ...] = field(default=())


def chart_of(row: queries.ChartRow, at: datetime, may: frozenset[str] = frozenset()) -> Chart:
    """Return the chart of a patient read with ``queries.chart_row``."""
    patient, way = row.patient, row.way
    clinic = patient.clinic
    setting = setting_of(clinic, at, way.product)
    facts = facts_of(way, clinic, setting)
    standing = where(facts, setting)
    plan = way.plan
    scores = scores_of(patient, INSTRUMENT, at)
    proposal = _proposal(row, plan, scores, setting) if plan else None
    on_file = queries.filed(patient, at)
    page = queries.timeline_page(patient, size=CHART_LINES)
    lines = timeline_lines(page.lines)
    screens = screens_due(screen_facts(way, plan, row.sessions, at), setting) if plan else ()
    return Chart(
        standing=standing,
        where=stage_word(standing),
        age=patient.age_on(patient.deceased_on or setting.on),
        allergies=allergies_of(row, [f for f in on_file if f.kind == "allergy"], clinic),
        pathway=pathway_of(standing, patient, setting.on),
        scores=score_course(patient, at, INSTRUMENT, _window(proposal), setting, row.sessions, scores),
        findings=_findings(row, standing, setting, at),
        plan=_plan_card(plan, way, facts, setting.on) if plan else None,
        consent=consent_words(facts),
        proposal=proposal,
        proposed=_proposed(proposal, setting.on) if proposal else "",
        screens=_screens(screens, setting.on),
        medicines=tuple(f for f in on_file if f.kind == "medicine"),
        problems=tuple(f for f in on_file if f.kind == "problem"),
        today=tuple(line for line in lines if clinic.day_of(line.at) == setting.on and line.room == "treatment")[:5],
        lines=lines,
        more=page.after is not None,
        actions=tuple(_actions(standing, row, may)),
    )


def _proposal(row: queries.ChartRow, plan: Plan, scores: Sequence[ScaleAnswer], setting: Setting) -> Proposal | None:
    if plan.protocol_id not in PROTOCOLS:
        return None
    return next_session_due(proposal_facts(row.way, plan, row.sessions, scores, setting), setting)


def _window(proposal: Proposal | None) -> tuple[date, date] | None:
    if proposal is None or proposal.earliest_on is None or proposal.latest_on is None:
        return None
    return proposal.earliest_on, proposal.latest_on


# ---- head and line -------------------------------------------------------------------------------------------------


def allergies_of(row: queries.ChartRow, listed: Sequence[queries.Filed], clinic: Clinic) -> Allergies:
    """Say what is known about allergies; an empty list is never shown as "none"."""
    if listed:
        names = ", ".join(f.title for f in listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
        return Allergies(f"Allergies: {names}", "known", tuple(listed))
    if row.allergy_asked_at is None:
        return Allergies("Allergies: not asked", "unknown")
    asked = day_words(clinic.day_of(row.allergy_asked_at))
    words = {"no": f"No allergy to ketamine, asked {asked}", "yes": f"Allergic to the drug, told {asked}"}
    return Allergies(
        words.get(row.allergy_answer, f"Allergies: not known, asked {asked}"),
        {"no": "none", "yes": "known"}.get(row.allergy_answer, "unknown"),
    )


_PAGES = {
    Stage.REFERRAL: "people:patient",
    Stage.SCREENING: "screening:patient",
    Stage.CONSENT: "consent:patient",
    Stage.PLAN: "planning:patient",
    Stage.INDUCTION: "followup:patient",
    Stage.MAINTENANCE: "maintenance:patient",
    Stage.REVIEW: "surveillance:patient",
}


def pathway_of(standing: Standing, patient: Patient, on: date) -> tuple[StageMark, ...]:
    """Return the pathway line; each station leads to its page."""
    return tuple(
        StageMark(
            name=step.stage.word,
            note=", ".join(w for w in (step.note, day_words(step.on)) if w),
            state=step.state.value,
            url=address(_PAGES[step.stage], patient.pk),
        )
        for step in standing.steps
    )


_ACTIONS: dict[Stage, tuple[str, str, str]] = {
    Stage.REFERRAL: ("record_history", "Begin the screening", "screening:patient"),
    Stage.SCREENING: ("decide_candidacy", "Decide on candidacy", "screening:patient"),
    Stage.CONSENT: ("take_consent", "Take consent", "consent:patient"),
    Stage.PLAN: ("sign_plan", "Write the plan", "planning:patient"),
    Stage.INDUCTION: ("run_session", "Open a session", "treatment:open"),
    Stage.MAINTENANCE: ("run_session", "Open a session", "treatment:open"),
    Stage.REVIEW: ("answer_proposal", "Review benefit and risk", "maintenance:patient"),
}


def _actions(standing: Standing, row: queries.ChartRow, may: frozenset[str]) -> Iterable[tuple[str, str, str]]:
    """Yield address, label and weight of the buttons in the head: the one next thing first."""
    if row.today_session is not None and "see_floor" in may:
        yield address("treatment:session", row.today_session), f"Session in chair {row.today_chair}", "primary"
    elif standing.outcome is None:
        booked = standing.stage is Stage.PLAN and standing.next is not None and standing.next.on is not None
        permission, label, page = _ACTIONS[Stage.INDUCTION if booked else standing.stage]
        if permission in may:
            yield address(page, row.patient.pk), label, "primary"
    if "record_score" in may and standing.outcome is not Outcome.DECEASED:
        yield address("followup:answer", row.patient.pk, "phq9"), "Enter PHQ-9", ""


# ---- findings ------------------------------------------------------------------------------------------------------


def _findings(row: queries.ChartRow, standing: Standing, setting: Setting, at: datetime) -> Findings | None:
    """Return what the newest kept assessment found; before any was kept, what an assessment finds now."""
    if row.screening is not None and row.screened_at is not None:
        day = day_words(row.patient.clinic.day_of(row.screened_at))
        told = f"{PRODUCT_WORDS.get(row.screening.get('product', ''), 'Screening')}, assessed {day}"
        return sorted_findings(row.screening, told)
    if standing.outcome is not None or standing.stage not in (Stage.REFERRAL, Stage.SCREENING):
        return None
    return findings_now(row.patient, at, setting.product)


def findings_now(patient: Patient, at: datetime, product: str = "") -> Findings:
    """Return what an assessment finds at this moment, for the product the findings page opens with unless told."""
    asked = product or next(iter(PRODUCT_WORDS))
    decision, _facts = assess(patient, asked, at)
    return sorted_findings(decision_as_json(decision), f"{PRODUCT_WORDS[asked]}, as of now")


def sorted_findings(decision: Mapping[str, Any], told: str) -> Findings:
    """Return a kept decision for display, what stops first."""
    order = ["hard_stop", "soft_stop", "task", "notice", "record", "parameter"]

    def rank(finding: Mapping[str, Any]) -> int:
        effect = finding.get("effect", "")
        return order.index(effect) if effect in order else len(order)

    fired = tuple(sorted(decision.get("fired", ()), key=rank))
    silent = sorted(decision.get("not_evaluated", ()), key=rank)
    unknown = tuple(f for f in silent if f.get("missing"))
    idle = len(silent) - len(unknown)
    clear = tuple(decision.get("clear", ()))
    summary = f"{len(fired)} open · {len(unknown)} could not be checked · {len(clear)} fine"
    summary += f" · {idle} not in force" if idle else ""
    return Findings(told, fired, unknown, clear, summary)


# ---- plan and what is due ------------------------------------------------------------------------------------------


_CONSENT_WORDS = {
    Consent.VALID: "signed {signed}",
    Consent.EXPIRED: "no longer stands, signed {signed}",
    Consent.WITHDRAWN: "withdrawn {withdrawn}",
    Consent.OTHER_ROUTE: "not signed for this product",
    Consent.MISSING: "not signed",
    Consent.NOT_KNOWN: "could not be checked, signed {signed}",
}


def consent_words(facts: JourneyFacts) -> str:
    """Say whether the consent for the product stands, as the session gate would."""
    words = _CONSENT_WORDS[consent_of(facts)]
    return words.format(signed=day_words(facts.consent_signed_on), withdrawn=day_words(facts.consent_withdrawn_on))


def _plan_card(plan: Plan, way: Way, facts: JourneyFacts, on: date) -> PlanCard:
    protocol = PROTOCOLS.get(plan.protocol_id)
    zone = plan.clinic.zone
    next_at = way.next_session_at
    consent = consent_words(facts)
    rows = (
        ("Product", f"{PRODUCT_WORDS.get(plan.product, plan.product)}, {dose_words(plan)}"),
        ("Protocol", protocol.title if protocol else plan.protocol_id),
        ("Since", day_words(plan.starts_on)),
        ("Given", f"{count_words(len(way.given), 'session')}"),
        (
            "Next session",
            f"{next_at.astimezone(zone):%a} {day_words(next_at.astimezone(zone).date(), on)}, "
            f"{next_at.astimezone(zone):%H:%M}"
            if next_at
            else "none booked",
        ),
        ("Consent", consent[:1].upper() + consent[1:]),
        ("Signed by", f"{plan.signed_by.display_name}, {day_words(plan.clinic.day_of(plan.at))}"),
    )
    return PlanCard(rows)


def dose_words(plan: Plan) -> str:
    """Return the dose of a plan: ``84 mg``, or ``0.5 mg/kg (39 mg at 78 kg)``."""
    if plan.dose_mg_per_kg is not None:
        of = f" ({plan.dose_mg:.3g} mg at {plan.weight_kg:.4g} kg)" if plan.dose_mg and plan.weight_kg else ""
        return f"{plan.dose_mg_per_kg.normalize():f} mg/kg{of}"
    return f"{plan.dose_mg.normalize():f} mg" if plan.dose_mg is not None else "dose not set"


def _proposed(proposal: Proposal, on: date) -> str:
    first, last = proposal.earliest_on, proposal.latest_on
    if first is None or last is None:
        return ""
    if first == last:
        return day_words(first, on)
    return f"{day_words(first, on)} to {day_words(last, on)}"


_STAND_WORDS = {
    Stand.OVERDUE: "overdue",
    Stand.DUE: "due today",
    Stand.UNKNOWN: "no result on file",
    Stand.CURRENT: "up to date",
    Stand.NOT_EVALUATED: "interval not signed",
}


def _screens(screens: Iterable[ScreenDue], on: date) -> tuple[DueLine, ...]:
    """Return the long-term screens, those that ask for something first."""
    order = list(_STAND_WORDS)
    return tuple(
        DueLine(
            what=s.screen.title,
            when=f"by {day_words(s.due_on, on)}" if s.due_on and s.stand is Stand.CURRENT else _STAND_WORDS[s.stand],
            why=s.why,
            state="med" if s.overdue or s.stand is Stand.OVERDUE else "on" if s.stand is Stand.CURRENT else "unsure",
        )
        for s in sorted(screens, key=lambda s: order.index(s.stand))
    )
