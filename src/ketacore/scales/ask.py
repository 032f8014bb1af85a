"""Scales from the shell: ``ketacore scales < facts.json``.

The document names the instrument and its answers::

    {"scale": "phq9", "answers": {"q1": 2, "q2": 1, "q9": null}}

An answer that is left out or ``null`` is missing, and a missing answer gives no number. ``{"scale": "phq9"}`` alone
describes the instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ketacore.evidence import RULE_PACK, rule_as_json
from ketacore.evidence.asking import a_count, a_thing, a_word, refusal, refuse_unknown
from ketacore.scales import SCALES, Incomplete, Scale, score


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the score, or what is missing for one; raises ``Refusal`` for what cannot be read."""
    refuse_unknown(document, {"scale", "answers"}, "the document")
    scale = a_scale(document.get("scale"))
    if "answers" not in document:
        return _description(scale)
    result = score(scale, some_answers(document["answers"]))
    about = {"question": "score", "rule_pack": RULE_PACK, "scale": scale.scale_id, "version": scale.version}
    if isinstance(result, Incomplete):
        return {**about, "outcome": "incomplete", "missing": list(result.missing)}
    band = {"name": result.band.name, "name_is_ours": result.band.ours, "from": result.band.low, "to": result.band.high}
    return {**about, "outcome": "score", "total": result.total, "band": band, "rule": rule_as_json(scale.rule)}


def a_scale(given: Any) -> Scale:
    """Read the name of an instrument."""
    name = a_word("scale", given)
    if name not in SCALES:
        raise refusal(f"scale {name} is not known", f"Use one of: {', '.join(SCALES)}.")
    return SCALES[name]


def some_answers(given: Any) -> dict[str, int | None]:
    """Read answers by item."""
    named = a_thing("answers", given)
    return {str(key): None if value is None else a_count(f"answers: {key}", value) for key, value in named.items()}


def _description(scale: Scale) -> dict[str, Any]:
    return {
        "question": "describe",
        "rule_pack": RULE_PACK,
        "scale": scale.scale_id,
        "version": scale.version,
        "name": scale.name,
        "items": [{"key": i.key, "text": i.text, "loinc": i.loinc} for i in (*scale.items, *scale.extras)],
        "licence": {"mode": scale.licence.mode.value, "statement": scale.licence.statement},
        "rule": rule_as_json(scale.rule),
    }
