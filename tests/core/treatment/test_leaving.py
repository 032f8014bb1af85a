"""The leave gate where it is refused, condition by condition, for both routes."""

from __future__ import annotations

import pytest

from ketacore.evidence import Decision, Finding, Refusal, Setting, State
from ketacore.treatment import INFUSION, NASAL, Event, SessionFacts, check_event, ready_for_discharge
from tests.core.treatment.course import (
    IV_GATE,
    NASAL_GATE,
    bp,
    but,
    devices,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    nasal_ready,
    plus,
    says,
    setting,
    start_infusion,
)


def asked(facts: SessionFacts, at: float) -> Decision:
    return ready_for_discharge(facts, minute(at), setting(facts.product))


def held(decision: Decision) -> dict[str, Finding]:
    return {f.rule.rule_id: f for f in decision.findings if f.stops}


@pytest.mark.parametrize(
    "facts",
    [
        nasal(*NASAL_GATE, bp(10, 130, 80)),
        infusion(*IV_GATE, bp(10, 130, 80)),
        nasal(*NASAL_GATE, *devices(0)),
        infusion(*IV_GATE, start_infusion()),
    ],
)
def test_while_drug_is_still_to_be_given_everything_after_it_is_unknown(facts: SessionFacts) -> None:
    decision = asked(facts, 300)
    assert decision.outcome == "not_yet" and "end of dosing" in decision.missing


@pytest.mark.parametrize(
    ("base", "readings", "held_by"),
    [
        ((128, 80), [(138, 90)], set()),
        ((128, 80), [(139, 80)], {"SPR-MON-04", "DEC-11"}),
        ((128, 80), [(150, 80), (139, 80)], set()),
        ((128, 80), [(128, 91)], {"SPR-MON-04", "DEC-11"}),
        ((128, 80), [(165, 100), (149, 91)], {"DEC-11"}),
        ((150, 90), [(175, 95), (160, 92)], set()),
    ],
)
def test_the_pressure_falls_and_is_low_or_as_before(
    base: tuple[int, int], readings: list[tuple[int, int]], held_by: set[str]
) -> None:
    rest = tuple(e for e in nasal_ready() if e.kind != "vitals")
    measured = [bp(45 + 40 * n, *pair, oxygen_saturation=98) for n, pair in enumerate(readings)]
    facts = nasal(*rest, bp(-15, *base), *measured, bp(126, *readings[-1], oxygen_saturation=98))
    facts = facts if len(readings) > 1 else nasal(*rest, bp(-15, *base), *measured)
    assert set(held(asked(facts, 130))) & {"SPR-MON-04", "DEC-11"} == held_by


def test_before_the_late_limit_the_forty_minute_reading_is_only_missing() -> None:
    early = nasal(*NASAL_GATE, *devices(0, 5))
    assert held(asked(early, 60))["DEC-10"].missing == ("blood pressure 40 minutes after the last device",)


def test_a_missed_reading_needs_two_later_ones_apart() -> None:
    go = ev(126, "prescriber_decision", by_role="prescriber", about="DEC-10", ruling="go_ahead", reason="cuff failed")
    rest = [e for e in nasal_ready() if e.kind != "vitals" or e.at in (minute(-15), minute(125))]
    one = nasal(*rest, go)
    assert "two later readings" in held(asked(one, 130))["DEC-10"].because[0]
    assert "DEC-10" not in held(asked(plus(one, bp(114, 131, 81)), 130))
    hold = ev(127, "prescriber_decision", by_role="prescriber", about="DEC-10", ruling="hold", reason="wait")
    assert "DEC-10" in held(asked(plus(one, bp(114, 131, 81), hold), 130))


def test_what_was_seen_long_ago_does_not_count() -> None:
    decision = asked(nasal(*nasal_ready()), 156)
    assert held(decision)["SPR-MON-08-END"].missing[0] == "blood pressure in the last 30 minutes"


@pytest.mark.parametrize(
    ("event", "rule_id"),
    [
        (ev(128, "sedation", moaas=4), "SPR-MON-11-SEDATION"),
        (ev(128, "dissociation", level="mild"), "SPR-MON-11-DISSOCIATION"),
        (says(128, "breathing_normal", "no"), "SPR-MON-11-BREATHING"),
        (says(128, "prescriber_on_site", "no"), "DEC-13"),
        (says(128, "prescriber_on_site", "not_known"), "DEC-13"),
        (ev(128, "escort", name="Daniel", here=False), "SPR-MON-10"),
    ],
)
def test_the_newest_word_counts(event: Event, rule_id: str) -> None:
    assert set(held(asked(plus(nasal(*nasal_ready()), event), 130))) == {rule_id}


def reasons(facts: SessionFacts, at: float, *, signed: Setting | None = None) -> dict[str, tuple[str, ...]]:
    """Return what each condition of the leave gate says for itself."""
    decision = ready_for_discharge(facts, minute(at), signed or setting(facts.product))
    return {f.rule.rule_id: f.because for f in decision.findings}


@pytest.mark.parametrize(
    ("percent", "measured_at", "words"),
    [
        (97, 130, "saturation measured just now: 97 %"),
        (97, 129, "saturation measured 1 minute ago: 97 %"),
        (93, 127, "saturation measured 3 minutes ago: 93 %, below the clinic limit of 94 %"),
        (14, 127, "saturation measured 3 minutes ago: 14 %, below the clinic limit of 90 %"),
    ],
)
def test_current_is_about_time_and_never_praises_a_value(percent: int, measured_at: float, words: str) -> None:
    facts = plus(nasal(*nasal_ready()), ev(measured_at, "vitals", oxygen_saturation=percent))
    assert reasons(facts, 130)["DEC-13"] == (words, "a prescriber is on site")


def test_no_limit_is_named_that_nobody_signed_for_this_route() -> None:
    facts = plus(nasal(*nasal_ready()), ev(127, "vitals", oxygen_saturation=14))
    for unsigned in (but("DEC-12"), but("IVK-MON-04-SPO2-HARD", "IVK-MON-04-SPO2-SOFT")):
        told = reasons(facts, 130, signed=setting(signed=unsigned))["DEC-13"]
        assert told[0] == "saturation measured 3 minutes ago: 14 %"


def test_an_urgent_finding_hides_no_missing_signature() -> None:
    low = ev(129, "vitals", oxygen_saturation=80)
    signed, unsigned = nasal(*nasal_ready()), nasal(*(e for e in nasal_ready() if e.kind != "release_signed"))
    urgent = "urgent: Oxygen saturation 80 %"
    assert reasons(plus(signed, low), 130)["SPR-MON-04-STABLE"] == (urgent,)
    assert reasons(plus(unsigned, low), 130)["SPR-MON-04-STABLE"] == (urgent, "the prescriber has not signed")


def test_a_refusal_names_only_what_is_open() -> None:
    unasked = nasal(*(e for e in nasal_ready() if getattr(e.what, "question", "") != "breathing_normal"))
    with pytest.raises(Refusal) as refused:
        check_event(unasked, ev(130, "discharged"), setting())
    (line,) = refused.value.because
    assert line.startswith("No respiratory depression")
    assert line.endswith("not answered: Breathing normal, no sign of respiratory depression?")


@pytest.mark.parametrize(
    ("event", "held_by"),
    [
        (ev(103, "dissociation", level="mild"), {"DIS-05-DISSOCIATION"}),
        (says(103, "new_suicidal_thoughts"), {"DIS-05-IDEATION"}),
        (says(103, "gait_steady", "not_known"), {"DIS-05-GAIT"}),
        (says(103, "oriented", "no"), {"DIS-05-ORIENTED"}),
        (bp(103, 158, 84), {"DIS-05-BP"}),
        (bp(103, 150, 84), set()),
        (ev(103, "vitals", oxygen_saturation=97), {"DIS-05-SPO2"}),
    ],
)
def test_an_infusion_is_released_as_it_was_before(event: Event, held_by: set[str]) -> None:
    assert set(held(asked(plus(infusion(*infusion_ready()), event), 105))) == held_by


def test_a_patient_who_was_mildly_away_before_the_dose_may_be_so_again() -> None:
    facts = plus(
        infusion(*infusion_ready()), ev(-10, "dissociation", level="mild"), ev(103, "dissociation", level="mild")
    )
    assert "DIS-05-DISSOCIATION" not in held(asked(facts, 105))
    worse = plus(facts, ev(104, "dissociation", level="strong"))
    assert "DIS-05-DISSOCIATION" in held(asked(worse, 105))


def test_without_readings_before_or_after_nothing_can_be_compared() -> None:
    blind = infusion(*(e for e in infusion_ready() if e.kind != "vitals"))
    assert {"blood pressure before the dose", "oxygen saturation before the dose"} <= set(asked(blind, 105).missing)
    before = plus(blind, bp(-15, 128, 80, oxygen_saturation=98))
    assert {"blood pressure after the dose", "oxygen saturation after the dose"} <= set(asked(before, 105).missing)
    assert "blood pressure before the dose" in asked(plus(nasal(*devices(0, 5)), bp(50, 120, 80)), 130).missing


def test_an_unsigned_policy_is_unknown_and_holds() -> None:
    decision = ready_for_discharge(infusion(*infusion_ready()), minute(105), setting(INFUSION, but("DIS-05-TIME")))
    assert set(held(decision)) == {"DIS-05-TIME"}


@pytest.mark.parametrize("facts", [nasal(*NASAL_GATE, *devices(0, 5)), infusion(*IV_GATE, start_infusion())])
def test_leaving_too_early_is_refused_with_all_that_is_open(facts: SessionFacts) -> None:
    ended = facts if facts.product == NASAL else plus(facts, ev(40, "infusion_end"))
    with pytest.raises(Refusal) as told:
        check_event(ended, ev(45, "discharged"), setting(facts.product))
    words = " ".join(told.value.because).lower()
    for open_still in ("escort", "sedation", "prescriber", "blood pressure"):
        assert open_still in words


@pytest.mark.parametrize(
    ("saturation", "signed", "met"),
    [(98, (), True), (90, (), True), (89, (), False), (98, ("DEC-12",), None), (98, ("IVK-MON-04-SPO2-HARD",), None)],
)
def test_breathing_is_judged_by_the_signed_limit(saturation: int, signed: tuple[str, ...], met: bool | None) -> None:
    rest = tuple(e for e in nasal_ready() if e.at != minute(125) or e.kind != "vitals")
    facts = nasal(*rest, bp(125, 124, 78, oxygen_saturation=saturation))
    decision = ready_for_discharge(facts, minute(130), setting(signed=but(*signed)))
    finding = next(f for f in decision.findings if f.rule.rule_id == "SPR-MON-11-BREATHING")
    assert finding.state is {True: State.CLEAR, False: State.FIRED, None: State.NOT_EVALUATED}[met]
