"""The shell's document: every field is read exactly, everything else is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from ketacore.evidence import Refusal
from ketacore.screening.ask import answer

BASE = {"jurisdiction": "US", "on": "2026-11-23", "product": "ketamine-iv"}


def ask(facts: Any = None, **top: Any) -> dict[str, Any]:
    return answer({**BASE, "facts": {} if facts is None else facts, **top})


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ([], "facts must be an object"),
        ({"surprise": 1}, "unknown field in facts: surprise"),
        ({"pregnant": 0}, "pregnant must be true, false or null"),
        ({"pregnant": [True, "no"]}, "pregnant must be true, false or null"),
        ({"pregnant": {"value": True, "by": "x"}}, "unknown field in pregnant: by"),
        ({"pregnant": {"value": True, "source": 1}}, "pregnant must be text"),
        ({"pregnant": {"value": True, "at": "yesterday"}}, "moment with a time zone"),
        ({"pregnant": {"value": True, "at": "2026-11-23T10:00:00"}}, "moment with a time zone"),
        ({"age_years": True}, "must be a number"),
        ({"age_years": "45"}, "must be a number"),
        ({"age_years": -1}, "must be a number"),
        ({"age_years": 45.5}, "must be a whole number"),
        ({"age_years": 131}, "not the age of a living person"),
        ({"cardiovascular_event_on": "May"}, "must be a day"),
        ({"child_pugh": "D"}, "child_pugh: D is not a choice"),
        ({"blood_pressure": 120}, "must be a list"),
        ({"blood_pressure": [120]}, "must be two numbers"),
        ({"blood_pressure": [80, 120]}, "80/120"),
        ({"medicines": "Aspirin"}, "must be a list"),
        ({"medicines": ["x"] * 201}, "must be a list of at most 200"),
        ({"medicines": ["x" * 501]}, "at most 500 characters"),
        ({"medicines": [1]}, "a medicine must be an object"),
        ({"medicines": [{"ingredient": "x"}]}, "a medicine has no name"),
        ({"medicines": [{"name": "x", "dose": "1"}]}, "unknown field in medicines: dose"),
        ({"trials": [1]}, "a trial must be an object"),
        ({"trials": [{"days": 3}]}, "a trial has no drug"),
        ({"trials": [{"drug": "x", "brand": "y"}]}, "unknown field in trials: brand"),
        ({"trials": [{"drug": "x", "outcome": "worse"}]}, "trials: outcome: worse is not known"),
        ({"trials": [{"drug": "x", "reason_stopped": "tired"}]}, "trials: reason_stopped: tired is not known"),
        ({"trials": [{"drug": "x", "adherence": "so-so"}]}, "trials: adherence: so-so is not known"),
    ],
)
def test_a_wrong_fact_is_refused_by_name(facts: Any, because: str) -> None:
    with pytest.raises(Refusal) as refused:
        ask(facts)
    assert because in refused.value.because[0]


@pytest.mark.parametrize(
    ("top", "because"),
    [
        ({"extra": 1}, "unknown field in the document: extra"),
        ({"product": "aspirin"}, "product aspirin is not known"),
        ({"on": "today"}, "on must be a day"),
        ({"jurisdiction": 1}, "jurisdiction must be text"),
        ({"signed": "DEC-15"}, "signed must be a list"),
        ({"signed": ["SPR-CI-01"]}, "SPR-CI-01 is not a clinic policy"),
        ({"signed": ["NO-SUCH"]}, "NO-SUCH is not a clinic policy"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(top: dict[str, Any], because: str) -> None:
    with pytest.raises(Refusal) as refused:
        ask(**top)
    assert because in refused.value.because[0]


@pytest.mark.parametrize("name", BASE)
def test_there_is_no_default_setting(name: str) -> None:
    with pytest.raises(Refusal, match=f"{name} is missing"):
        answer({k: v for k, v in BASE.items() if k != name})


def test_every_kind_of_fact_is_read() -> None:
    told = ask(
        {
            "age_years": 45,
            "pregnant": [{"value": True, "source": "test", "at": "2026-11-04T10:00:00Z"}, False],
            "breastfeeding": None,
            "recent_drug_use": {"value": None, "source": "patient"},
            "cardiovascular_event": True,
            "cardiovascular_event_on": "2026-11-01",
            "child_pugh": "A",
            "blood_pressure": [150, 80],
            "medicines": ["Lamotrigine", {"name": "Elixo", "ingredient": "theophylline", "source": "box"}],
            "trials": [
                {
                    "drug": "Sertraline",
                    "max_daily_dose_mg": 100.5,
                    "days": 70,
                    "days_at_dose": 56,
                    "outcome": "none",
                    "reason_stopped": "cost",
                    "adherence": "adequate",
                    "current_episode": True,
                    "source": "pharmacy",
                },
                {"drug": "Citalopram", "days": None},
            ],
        },
        signed=["DEC-01-PREGNANCY", "TRD-01-D", "DEC-05-RECENT"],
    )
    assert told["outcome"] == "stop"
    assert [f["rule_id"] for f in told["fired"]][:1] == ["IVK-DDI-01"]
    assert told["trials"]["certain"] == 1
    assert told["treating_needs"]["barred"] == ["IVK-DDI-01"]
    assert told["treating_needs"]["second_signature"] == ["DEC-01-PREGNANCY"]
    assert "DEC-05-RECENT" in told["treating_needs"]["reasons"]


def test_nothing_told_is_not_asked() -> None:
    told = answer(BASE)
    assert told["outcome"] == "cannot_decide"
    assert told["treating_needs"]["unasked"] == ["medicines", "trials"]
