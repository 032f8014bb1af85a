"""Whatever the facts: a contraindication never makes anyone more eligible, and neither does knowing less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from ketacore.evidence import Approval, Fact, Grade, Setting, SignedPolicies
from ketacore.screening import PRODUCTS, QUESTIONS, RULES, CandidateFacts, Medicine, assess_candidacy
from ketacore.units import BloodPressure

SIGNED = SignedPolicies(
    tuple(
        Approval(r.rule_id, r.rule_version, "director", datetime(2026, 1, 1, tzinfo=UTC))
        for r in RULES
        if r.grade is Grade.D
    )
)
RANK = {"stop": 0, "cannot_decide": 0, "caution": 1, "candidate": 2}
YES_NO = [name for name, q in QUESTIONS.items() if q.kind == "yes_no"]
CONTRAINDICATIONS = [
    "aneurysmal_disease",
    "arteriovenous_malformation",
    "intracerebral_haemorrhage",
    "hypersensitivity",
    "psychosis_history",
    "pregnant",
    "pressure_rise_risk",
]
BOOL = st.sampled_from([Fact.of(True), Fact.of(False), Fact.not_known(), Fact.not_asked()])
FACTS = st.builds(
    CandidateFacts,
    age_years=st.sampled_from([Fact.of(17), Fact.of(45), Fact.of(70), Fact.not_asked()]),
    indication=st.sampled_from([Fact.of("TRD"), Fact.of("MDSI"), Fact.of("other"), Fact.not_asked()]),
    child_pugh=st.sampled_from([Fact.of("none"), Fact.of("B"), Fact.of("C"), Fact.not_asked()]),
    blood_pressure=st.sampled_from(
        [Fact.of(BloodPressure(120, 80)), Fact.of(BloodPressure(150, 80)), Fact.not_asked()]
    ),
    medicines=st.sampled_from([Fact.of(()), Fact.of((Medicine("Theophylline"),)), Fact.not_asked()]),
    cardiovascular_event_on=st.sampled_from([Fact.of(date(2026, 11, 1)), Fact.of(date(2020, 1, 1)), Fact.not_asked()]),
    trials=st.sampled_from([Fact.of(()), Fact.not_asked()]),
    **dict.fromkeys(YES_NO, BOOL),
)
SETTING = st.builds(
    Setting,
    st.sampled_from(["US", "US-PA", "EU", "UK", "CH", "NZ"]),
    st.just(date(2026, 11, 23)),
    st.sampled_from(PRODUCTS),
    st.sampled_from([SIGNED, SignedPolicies()]),
)


def rank(facts: CandidateFacts, setting: Setting) -> int:
    return RANK[assess_candidacy(facts, setting).outcome]


@given(FACTS, SETTING, st.sampled_from(CONTRAINDICATIONS))
def test_a_contraindication_never_helps(facts: CandidateFacts, setting: Setting, name: str) -> None:
    assert rank(replace(facts, **{name: Fact.of(True)}), setting) <= rank(facts, setting)


@given(FACTS, SETTING, st.sampled_from(sorted(QUESTIONS)))
def test_knowing_less_never_helps(facts: CandidateFacts, setting: Setting, name: str) -> None:
    assert rank(replace(facts, **{name: Fact.not_asked()}), setting) <= rank(facts, setting)
