"""Every planning rule at its decision points: fired, clear, or not evaluated."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ketacore.evidence import Approval, Fact, Grade, Setting, SignedPolicies
from ketacore.planning import PROTOCOLS, RULES, CourseFacts, DoseFacts, WeightFacts, assess_course, assess_dose
from ketacore.planning.decide import dose_for_weight

ON = date(2026, 11, 24)
NASAL, IV = PROTOCOLS["esketamine-trd-us"], PROTOCOLS["ketamine-iv-clinic"]
SIGNED = SignedPolicies(
    tuple(
        Approval(r.rule_id, r.rule_version, "director", datetime(2026, 1, 1, tzinfo=UTC))
        for r in RULES
        if r.grade is Grade.D
    )
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def known(values: dict[str, Any]) -> dict[str, Fact[Any]]:
    return {name: Fact.of(value) for name, value in values.items()}


def state(decision: Any, rule_id: str) -> str:
    return str(next(f.state.value for f in decision.findings if f.rule.rule_id == rule_id))


FIRED, CLEAR, OPEN = "fired", "clear", "not_evaluated"
LATER = {"first_session": False, "phase": "induction"}


@pytest.mark.parametrize(
    ("rule_id", "facts", "expected"),
    [
        ("SPR-DOS-01", {"first_session": True, "dose_mg": 56}, CLEAR),
        ("SPR-DOS-01", {"first_session": True, "dose_mg": 84}, FIRED),
        ("SPR-DOS-01", {"first_session": True, "dose_mg": 28}, FIRED),
        ("SPR-DOS-01", {"first_session": False}, CLEAR),
        ("SPR-DOS-01", {"first_session": True}, OPEN),
        ("SPR-DOS-01", {"dose_mg": 84}, OPEN),
        ("SPR-DOS-02", {**LATER, "dose_mg": 56}, CLEAR),
        ("SPR-DOS-02", {**LATER, "dose_mg": 84}, CLEAR),
        ("SPR-DOS-02", {**LATER, "dose_mg": 28}, FIRED),
        ("SPR-DOS-02", {"dose_mg": 28}, OPEN),
        ("SPR-DOS-02", {"phase": "maintenance"}, CLEAR),
        ("SPR-DOS-03", {**LATER, "phase": "maintenance-weekly", "dose_mg": 28}, FIRED),
        ("SPR-DOS-04", {**LATER, "phase": "maintenance", "dose_mg": 28}, FIRED),
        ("SPR-DOS-06", {}, OPEN),
        ("SPR-DOS-06", {"dose_mg": 84, "first_session": True}, CLEAR),
        ("SPR-DOS-06", {"dose_mg": 112}, FIRED),
        ("SPR-DOS-06", {"dose_mg": 70}, FIRED),
        ("SPR-DOS-06", {"dose_mg": 0}, FIRED),
        ("SPR-DOS-06", {"dose_mg": 56}, OPEN),
        ("SPR-DOS-06", {"dose_mg": 56, "previous_dose_mg": 84}, CLEAR),
        ("SPR-DOS-06", {"dose_mg": 28, "previous_dose_mg": 84}, FIRED),
        ("SPR-DOS-12", {"phase": "induction"}, CLEAR),
        ("SPR-DOS-12", {"phase": "maintenance"}, OPEN),
        ("SPR-DOS-12", {"phase": "maintenance", "interval_weeks": 2}, CLEAR),
        ("SPR-DOS-12", {"phase": "maintenance", "interval_weeks": 3}, FIRED),
    ],
)
def test_a_nasal_dose(rule_id: str, facts: dict[str, Any], expected: str) -> None:
    assert state(assess_dose(NASAL, DoseFacts(**known(facts)), Setting("US", ON)), rule_id) == expected


@pytest.mark.parametrize(
    ("rule_id", "dose", "minutes", "expected"),
    [
        ("KC-PRO-IV-01", 0.5, 40, CLEAR),
        ("KC-PRO-IV-01", 0.5, 41, FIRED),
        ("KC-PRO-IV-01", 0.4, 40, FIRED),
        ("KC-PRO-IV-02", 0.1, 2, CLEAR),
        ("KC-PRO-IV-02", 0.75, 100, CLEAR),
        ("KC-PRO-IV-02", 0.09, 40, FIRED),
        ("KC-PRO-IV-02", 0.76, 40, FIRED),
        ("KC-PRO-IV-02", 0.5, 1, FIRED),
        ("KC-PRO-IV-02", 0.5, 101, FIRED),
        ("IVK-DOS-03", 1.0, 40, CLEAR),
        ("IVK-DOS-03", 1.01, 60, FIRED),
        ("IVK-DOS-03", 0.5, 20, CLEAR),
        ("IVK-DOS-03", 0.5, 19, FIRED),
        ("IVK-DOS-15", 0.5, 30, CLEAR),
        ("IVK-DOS-15", 0.5, 29, FIRED),
        *[(r, None, 40, OPEN) for r in ("KC-PRO-IV-01", "KC-PRO-IV-02", "IVK-DOS-03", "IVK-DOS-15")],
        *[(r, 0.5, None, OPEN) for r in ("KC-PRO-IV-01", "KC-PRO-IV-02", "IVK-DOS-03", "IVK-DOS-15")],
    ],
)
def test_an_infusion(rule_id: str, dose: float | None, minutes: float | None, expected: str) -> None:
    given = {k: v for k, v in (("dose_mg_per_kg", dose), ("infusion_min", minutes)) if v is not None}
    decision = assess_dose(IV, DoseFacts(**known(given)), Setting("US-PA", ON, policies=SIGNED))
    assert state(decision, rule_id) == expected


@pytest.mark.parametrize(
    ("kg", "measured", "before", "expected"),
    [
        (80, "2026-10-27", 80, CLEAR),
        (80, "2026-10-26", 80, FIRED),
        (80, "2026-11-25", 80, FIRED),
        (88, "2026-11-24", 80, CLEAR),
        (88.1, "2026-11-24", 80, FIRED),
        (71.9, "2026-11-24", 80, FIRED),
        (35, "2026-11-24", 35, CLEAR),
        (34.9, "2026-11-24", 35, FIRED),
        (250, "2026-11-24", 250, CLEAR),
        (250.1, "2026-11-24", 250, FIRED),
        (80, "2026-11-24", None, OPEN),
        (None, "2026-11-24", 80, OPEN),
    ],
)
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_weight(kg: float | None, measured: str, before: float | None, expected: str, confirmed: bool) -> None:
    given = {k: v for k, v in (("weight_kg", kg), ("previous_kg", before)) if v is not None}
    facts = WeightFacts(**known({**given, "measured_on": day(measured)}), confirmed=confirmed)
    found = dose_for_weight(0.5, facts, Setting("US", ON, "ketamine-iv", SIGNED))
    assert state(found.decision, "DEC-09") == expected
    may = kg is not None and (confirmed or expected == CLEAR)
    assert (found.dose.value if found.dose else None) == (pytest.approx(kg * 0.5) if may and kg else None)
    unsigned = dose_for_weight(0.5, facts, Setting("US", ON, "ketamine-iv"))
    assert (unsigned.decision.outcome, unsigned.dose) == ("cannot_decide", None)


D1 = day("2026-10-28")  # 24 November is day 28


@pytest.mark.parametrize(
    ("rule_id", "facts", "expected"),
    [
        ("SPR-DOS-02-EVAL", {}, OPEN),
        ("SPR-DOS-02-EVAL", {"first_given_on": day("2026-10-29")}, CLEAR),
        ("SPR-DOS-02-EVAL", {"first_given_on": D1}, FIRED),
        ("SPR-DOS-02-EVAL", {"first_given_on": D1, "evaluated_on": day("2026-11-17")}, FIRED),
        ("SPR-DOS-02-EVAL", {"first_given_on": D1, "evaluated_on": day("2026-11-18")}, CLEAR),
        ("DEC-07", {"first_given_on": D1}, OPEN),
        ("DEC-07", {"first_given_on": day("2026-10-29"), "sessions_given": 1}, CLEAR),
        ("DEC-07", {"first_given_on": D1, "sessions_given": 5}, FIRED),
        ("DEC-07", {"first_given_on": D1, "sessions_given": 6}, CLEAR),
        ("SPR-DOS-08", {}, OPEN),
        ("SPR-DOS-08", {"phase": "maintenance"}, CLEAR),
        ("SPR-DOS-08", {"phase": "induction", "sessions_missed": 0}, CLEAR),
        ("SPR-DOS-08", {"phase": "induction", "sessions_missed": 1}, FIRED),
        ("SPR-DOS-09", {"phase": "induction"}, CLEAR),
        ("SPR-DOS-09", {"phase": "maintenance", "sessions_missed": 1}, OPEN),
        ("SPR-DOS-09", {"phase": "maintenance", "sessions_missed": 1, "worse": True}, FIRED),
        ("SPR-DOS-09", {"phase": "maintenance", "sessions_missed": 1, "worse": False}, CLEAR),
        ("SPR-DOS-10", {}, OPEN),
        ("SPR-DOS-10", {"last_given_on": day("2026-10-27")}, CLEAR),
        ("SPR-DOS-10", {"last_given_on": day("2026-10-26")}, FIRED),
        ("DEC-08", {"last_given_on": day("2026-10-27")}, CLEAR),
        ("DEC-08", {"last_given_on": day("2026-10-26")}, FIRED),
        ("IVK-DOS-05", {}, OPEN),
        ("IVK-DOS-05", {"sessions_given": 2}, CLEAR),
        ("IVK-DOS-05", {"sessions_given": 3}, FIRED),
        ("IVK-DOS-05", {"sessions_given": 3, "evaluated_on": ON}, CLEAR),
        ("IVK-DOS-05", {"sessions_given": 6}, OPEN),
        ("IVK-DOS-05", {"sessions_given": 6, "improvement_percent": 24.9}, FIRED),
        ("IVK-DOS-05", {"sessions_given": 6, "improvement_percent": 25.0}, CLEAR),
        ("IVK-DOS-08", {}, OPEN),
        ("IVK-DOS-08", {"first_given_on": day("2026-05-25")}, CLEAR),
        ("IVK-DOS-08", {"first_given_on": day("2026-05-24")}, FIRED),
        ("IVK-DOS-08", {"first_given_on": day("2025-05-24"), "evaluated_on": day("2026-06-01")}, CLEAR),
    ],
)
def test_a_course(rule_id: str, facts: dict[str, Any], expected: str) -> None:
    product = "ketamine-iv" if rule_id.startswith("IVK") else "esketamine-nasal"
    assert state(assess_course(CourseFacts(**known(facts)), Setting("US", ON, product, SIGNED)), rule_id) == expected
