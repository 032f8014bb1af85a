"""Maintenance from the shell: ``ketacore maintenance < facts.json``.

The document holds the setting and the course::

    {"jurisdiction": "US", "on": "2026-11-23", "signed": ["DEC-07", "DEC-08"],
     "facts": {"protocol_id": "esketamine-trd-us", "starts_on": "2026-09-14", "given_on": ["2026-09-14", "2026-09-17"],
               "interval_weeks": 2, "sessions_missed": 0, "worse": false, "holds_response": true,
               "improvement_percent": 58, "evaluated_on": "2026-10-12"}}

A fact that is left out was not asked, ``null`` was asked and not known. ``signed`` names the clinic policies in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ketacore.evidence import decision_as_json
from ketacore.evidence.asking import (
    a_count,
    a_day,
    a_fact,
    a_number,
    a_setting,
    a_thing,
    a_word,
    refuse_unknown,
    some_days,
    yes_or_no,
)
from ketacore.maintenance.decide import next_session_due
from ketacore.maintenance.facts import NextSessionFacts
from ketacore.planning import RULES

_FACTS: dict[str, Any] = {
    "starts_on": a_day,
    "interval_weeks": a_count,
    "sessions_missed": a_count,
    "worse": yes_or_no,
    "holds_response": yes_or_no,
    "improvement_percent": a_number,
    "evaluated_on": a_day,
}


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proposal as JSON; raises ``Refusal`` for what cannot be read."""
    refuse_unknown(document, ("jurisdiction", "on", "product", "signed", "facts"), "the document")
    setting = a_setting(document, RULES)
    proposal = next_session_due(_facts(a_thing("facts", document.get("facts", {}))), setting)
    window = proposal.window
    return {
        **decision_as_json(proposal.decision),
        "in_words": proposal.in_words,
        "earliest_on": window.earliest_on.isoformat() if window else None,
        "latest_on": window.latest_on.isoformat() if window else None,
        "due_on": window.due_on.isoformat() if window and window.due_on else None,
        "phase": window.phase.phase_id if window else None,
        "week": window.week if window else None,
        "overdue_days": proposal.overdue_days,
        "decide": list(proposal.decide),
        "proposal_never_an_order": True,
    }


def _facts(given: Mapping[str, Any]) -> NextSessionFacts:
    refuse_unknown(given, ("protocol_id", "given_on", *_FACTS), "facts")
    return NextSessionFacts(
        protocol_id=a_word("protocol_id", given.get("protocol_id")),
        given_on=some_days("given_on", given.get("given_on", [])),
        **{name: a_fact(name, given, read) for name, read in _FACTS.items()},
    )
