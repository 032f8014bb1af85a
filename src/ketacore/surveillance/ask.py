"""Surveillance from the shell: ``ketacore surveillance < facts.json``.

The document holds the setting and the course::

    {"jurisdiction": "US", "on": "2026-11-23", "product": "esketamine-nasal", "signed": ["LTS-05", "KC-SUR-01"],
     "facts": {"starts_on": "2026-09-14", "induction": false, "given_on": ["2026-09-14"],
               "done": {"bladder": {"on": "2026-10-19", "finding": false}}}}

A screen without an entry in ``done`` has no result on file. ``signed`` names the clinic policies (grade D) in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ketacore.evidence import decision_as_json
from ketacore.evidence.asking import (
    a_day,
    a_fact,
    a_setting,
    a_thing,
    refusal,
    refuse_unknown,
    some_days,
    yes_or_no,
)
from ketacore.surveillance import RULES, SCREEN, Done, ScreenDue, SurveillanceFacts, screens_due, surveillance


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return every screen and the decision as JSON; raises ``Refusal`` for what cannot be read."""
    refuse_unknown(document, ("jurisdiction", "on", "product", "signed", "facts"), "the document")
    setting = a_setting(document, RULES)
    facts = _facts(a_thing("facts", document.get("facts", {})))
    return {
        **decision_as_json(surveillance(facts, setting)),
        "screens": [_screen(s) for s in screens_due(facts, setting)],
    }


def _facts(given: Mapping[str, Any]) -> SurveillanceFacts:
    refuse_unknown(given, ("starts_on", "induction", "given_on", "done"), "facts")
    return SurveillanceFacts(
        starts_on=a_fact("starts_on", given, a_day),
        induction=a_fact("induction", given, yes_or_no),
        given_on=some_days("given_on", given.get("given_on", [])),
        done={kind: _done(kind, entry) for kind, entry in a_thing("done", given.get("done", {})).items()},
    )


def _done(kind: str, given: Any) -> Done:
    if kind not in SCREEN:
        raise refusal(f"done: {kind} is not a screen", f"Use one of: {', '.join(SCREEN)}.")
    entry = a_thing(f"done: {kind}", given)
    refuse_unknown(entry, ("on", "finding"), f"done: {kind}")
    return Done(a_day(f"{kind}: on", entry.get("on")), yes_or_no(f"{kind}: finding", entry.get("finding")))


def _screen(due: ScreenDue) -> dict[str, Any]:
    return {
        "screen": due.screen.kind,
        "title": due.screen.title,
        "stand": due.stand.value,
        "overdue": due.overdue,
        "due_on": due.due_on.isoformat() if due.due_on else None,
        "last_on": due.last_on.isoformat() if due.last_on else None,
        "why": due.why,
        "rules": [f.rule.rule_id for f in due.findings],
    }
