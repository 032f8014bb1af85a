"""Follow-up from the shell: ``ketacore followup < facts.json``.

The document holds the setting and the scores or the answers of one instrument::

    {"jurisdiction": "US", "on": "2026-11-23", "signed": ["DEC-18", "SAF-06", "KC-ESC-01"], "scale": "phq9",
     "facts": {"baseline": 19, "now": 8, "previous": 9, "session_since_previous": true}}

Instead of ``now`` the document may hold ``answers`` (``{"q1": 1, ...}``): then the score is taken from them, and the
items about suicide are looked at. A fact that is left out was not asked, ``null`` was asked and not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ketacore.evidence import Fact, Setting, decision_as_json
from ketacore.evidence.asking import a_count, a_fact, a_setting, a_thing, refusal, refuse_unknown, yes_or_no
from ketacore.followup.decide import item9_alert, remission, response, severity, worse_after_session
from ketacore.followup.facts import ScoreFacts
from ketacore.followup.rules import RULES
from ketacore.scales import RULES as SCALE_RULES
from ketacore.scales import Scale, Score, score
from ketacore.scales.ask import a_scale, some_answers

_TOP = ("jurisdiction", "on", "product", "signed", "scale", "facts", "answers")


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return severity, response, remission, worsening and alerts as JSON; raises ``Refusal`` otherwise."""
    refuse_unknown(document, _TOP, "the document")
    setting = a_setting(document, RULES, SCALE_RULES)
    scale = a_scale(document.get("scale"))
    given = dict(a_thing("facts", document.get("facts", {})))
    reply: dict[str, Any] = {"scale": scale.scale_id}
    if "answers" in document:
        if "now" in given:
            raise refusal("both now and answers are given", "Give one of them.")
        answers = some_answers(document["answers"])
        scored = score(scale, answers)
        given["now"] = scored.total if isinstance(scored, Score) else None
        reply["missing_items"] = [] if isinstance(scored, Score) else list(scored.missing)
        reply["suicide_item"] = decision_as_json(item9_alert(scale, answers, setting))
    return {**reply, **_scores(_facts(scale, given), setting)}


def _facts(scale: Scale, given: Mapping[str, Any]) -> ScoreFacts:
    refuse_unknown(given, ("baseline", "now", "previous", "session_since_previous"), "facts")
    facts = ScoreFacts(
        scale=scale,
        baseline=a_fact("baseline", given, a_count),
        now=a_fact("now", given, a_count),
        previous=a_fact("previous", given, a_count),
        session_since_previous=a_fact("session_since_previous", given, yes_or_no),
    )
    for total in (facts.baseline, facts.now, facts.previous):
        _check_range(scale, total)
    return facts


def _check_range(scale: Scale, total: Fact[int]) -> None:
    if total.value is not None:
        severity(scale, total.value)


def _scores(facts: ScoreFacts, setting: Setting) -> dict[str, Any]:
    now = facts.now.value
    return {
        "severity": severity(facts.scale, now).name if now is not None else None,
        "response": decision_as_json(response(facts.baseline, facts.now, facts.scale, setting)),
        "remission": decision_as_json(remission(facts.now, facts.scale, setting)),
        "worse_after_session": decision_as_json(worse_after_session(facts, setting)),
    }
