"""The hazard log: data in ``docs/safety/hazards.toml``, risk computed here, a page made of both.

Severity and likelihood run from 1 to 5; the risk of a cell runs from 1 to 5 and is never typed in by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.proofs import SAFETY, known_tests

MATRIX = {
    1: (1, 1, 2, 2, 3),
    2: (1, 2, 2, 3, 4),
    3: (2, 2, 3, 3, 4),
    4: (2, 3, 3, 4, 5),
    5: (3, 4, 4, 5, 5),
}
"""Risk by likelihood (key) and severity 1 to 5 (place in the row)."""
SEVERITY = {1: "minor", 2: "significant", 3: "considerable", 4: "major", 5: "catastrophic"}
LIKELIHOOD = {1: "very low", 2: "low", 3: "medium", 4: "high", 5: "very high"}
STATUS = {
    "open": "stands until a named clinician has judged it",
    "dormant": "not applicable while the feature named by its controls does not exist",
    "closed": "settled, kept with its reason",
}
NEEDED = ("id", "title", "cause", "effect", "harm", "initial", "residual", "status", "reason", "owner")
KINDS = ("tests", "absent", "open")
"""A control is proved by tests, or belongs to a feature that is absent, or is wanted and missing."""
UNSIGNED = (
    "**Nobody has signed this.** Severity, likelihood and risk are proposals of the project (grade C). No clinician "
    "has judged them, no authority has seen them, and no risk is accepted. A clinic needs a named clinician who "
    "judges every line before it treats anybody with this software."
)


def risk(likelihood: int, severity: int) -> int:
    """Return the risk (1 to 5) of a likelihood and a severity (each 1 to 5)."""
    return MATRIX[likelihood][severity - 1]


def hazards(file: Path = SAFETY / "hazards.toml") -> list[dict[str, Any]]:
    """Return the hazards in the order of the file."""
    return list(tomllib.loads(file.read_text(encoding="utf-8"))["hazard"])


def absent(file: Path = SAFETY / "absent.toml") -> dict[str, dict[str, Any]]:
    """Return the features that this software does not have, by their key."""
    return dict(tomllib.loads(file.read_text(encoding="utf-8")))


def orphans(entries: list[dict[str, Any]], features: Mapping[str, Any]) -> list[str]:
    """Return one line for everything that keeps the log from holding together; none when it does."""
    ids = [entry.get("id") for entry in entries]
    found = [] if ids == [f"H{n}" for n in range(1, len(ids) + 1)] else ["ids do not run H1, H2, … without a gap"]
    for entry in entries:
        found += [f"{entry.get('id')}: {words}" for words in _faults(entry, features)]
    return found


def _faults(entry: dict[str, Any], features: Mapping[str, Any]) -> list[str]:
    missing = [f"no {key}" for key in NEEDED if not entry.get(key)]
    if missing:
        return missing
    controls = entry.get("control", [])
    found = [] if controls else ["no control"]
    found += [words for control in controls for words in control_faults(control, features)]
    found += _faults_of_numbers(entry) + _faults_of_status(entry, controls)
    return found


def control_faults(control: dict[str, Any], features: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one control."""
    kinds = [kind for kind in KINDS if kind in control]
    if len(kinds) != 1 or not control[kinds[0]] or not control.get("what"):
        return [f"a control needs words and exactly one of {', '.join(KINDS)}"]
    if kinds == ["tests"]:
        return [f"unknown test {test}" for test in control["tests"] if test not in known_tests()]
    if kinds == ["absent"] and control["absent"] not in features:
        return [f"unknown feature {control['absent']}"]
    return []


def _faults_of_numbers(entry: dict[str, Any]) -> list[str]:
    pairs = [entry["initial"], entry["residual"]]
    if any(set(pair) != {"severity", "likelihood"} or not set(pair.values()) <= set(SEVERITY) for pair in pairs):
        return ["initial and residual need a severity and a likelihood from 1 to 5"]
    before, after = (risk(**pair) for pair in pairs)
    return [] if after <= before else ["the residual risk is higher than the initial one"]


def _faults_of_status(entry: dict[str, Any], controls: list[dict[str, Any]]) -> list[str]:
    if entry["status"] not in STATUS:
        return [f"unknown status {entry['status']}"]
    dormant = bool(controls) and all("absent" in control for control in controls)
    if dormant != (entry["status"] == "dormant"):
        return ["dormant means: every control belongs to a feature that is absent"]
    untested = not dormant and not any("tests" in control for control in controls)
    return ["no control is proved by a test"] if untested else []


def hazards_page() -> str:
    """Return the hazard log as Markdown."""
    entries, features = hazards(), absent()
    parts = ["# Hazard log\n", UNSIGNED + "\n", _summary(entries), _matrix(), "## Hazards\n"]
    parts += [
        "| id | hazard | initial risk | residual risk | controls proved | missing | status |",
        "|---|---|---|---|---|---|---|",
        *map(_line, entries),
        "",
    ]
    return "\n".join([*parts, *(_entry(entry, features) for entry in entries)])


def _summary(entries: list[dict[str, Any]]) -> str:
    controls = [control for entry in entries for control in entry["control"]]
    tests = {test for control in controls for test in control.get("tests", [])}
    built = sum("tests" in control for control in controls)
    wanted = sum("open" in control for control in controls)
    return (
        f"{len(entries)} hazards; {built} controls proved by {len(tests)} tests; {wanted} controls wanted and missing. "
        "How risk is judged: [risk management](risk-management.md). The build fails when a hazard has no control, "
        "a control names a test that does not exist or did not pass, or a hazard was deleted.\n"
    )


def _matrix() -> str:
    head = "| likelihood | " + " | ".join(f"S{s} {word}" for s, word in SEVERITY.items()) + " |"
    rows = [
        f"| L{likelihood} {word} | " + " | ".join(str(risk(likelihood, s)) for s in SEVERITY) + " |"
        for likelihood, word in reversed(LIKELIHOOD.items())
    ]
    return "\n".join(["## Risk matrix\n", head, "|---|" + "---|" * len(SEVERITY), *rows, ""])


def _line(entry: dict[str, Any]) -> str:
    controls = entry["control"]
    cells = [
        f"[{entry['id']}](#{entry['id'].lower()})",
        entry["title"],
        risk(**entry["initial"]),
        risk(**entry["residual"]),
        sum("tests" in control for control in controls),
        sum("open" in control for control in controls),
        entry["status"],
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _entry(entry: dict[str, Any], features: Mapping[str, Any]) -> str:
    rows = {
        "cause": entry["cause"],
        "effect": entry["effect"],
        "harm": entry["harm"],
        "before controls": _judged(entry["initial"]),
        "after controls": _judged(entry["residual"]),
        "status": f"{entry['status']}: {entry['reason']}",
        "owner": entry["owner"],
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
    head = f'<a id="{entry["id"].lower()}"></a>\n\n### {entry["id"]} {entry["title"]}\n\n| | |\n|---|---|\n{table}\n'
    return "\n".join([head, *(_control(control, features) for control in entry["control"]), ""])


def _judged(pair: dict[str, int]) -> str:
    severity, likelihood = pair["severity"], pair["likelihood"]
    words = f"severity {severity} ({SEVERITY[severity]}), likelihood {likelihood} ({LIKELIHOOD[likelihood]})"
    return f"{words}: risk {risk(likelihood, severity)} (proposed, unsigned)"


def _control(control: dict[str, Any], features: Mapping[str, Any]) -> str:
    if "absent" in control:
        return f"* {control['what']} *Not built: {features[control['absent']]['words']}*"
    if "open" in control:
        return f"* {control['what']} **Missing: {control['open']}**"
    return "\n".join([f"* {control['what']}", *(f"  * `{test}`" for test in control["tests"])])
