"""The items of OWASP ASVS 5.0.0, level 1 and 2, each with what stands for it here.

``docs/safety/asvs.toml`` holds only the ids, their levels and the project's own words; the texts of the standard stand
in the standard (OWASP Foundation, CC BY-SA 4.0), not here.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.hazards import absent
from tools.proofs import SAFETY, known_tests

VERDICTS = {
    "tests": "proved by tests",
    "page": "written down",
    "absent": "not applicable: the feature does not exist",
    "na": "not applicable",
    "operator": "left to whoever runs the server",
    "open": "open",
}
"""Each item carries exactly one of these keys."""


def asvs(file: Path = SAFETY / "asvs.toml") -> dict[str, Any]:
    """Return the chapters and items of the table."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def verdict(item: Mapping[str, Any]) -> str:
    """Return the one key of an item that says how it stands; empty when there is none or more than one."""
    found = [key for key in VERDICTS if item.get(key)]
    return found[0] if len(found) == 1 else ""


def faults(table: Mapping[str, Any]) -> list[str]:
    """Return one line for everything that keeps the table from holding together; none when it does."""
    features, found = absent(), []
    for name, item in table["items"].items():
        kind = verdict(item)
        if not kind:
            found.append(f"{name}: needs exactly one of {', '.join(VERDICTS)}")
        if kind in ("tests", "page") and not item.get("how"):
            found.append(f"{name}: says not how")
        found += [f"{name}: unknown test {test}" for test in item.get("tests", []) if test not in known_tests()]
        if kind == "absent" and item["absent"] not in features:
            found.append(f"{name}: unknown feature {item['absent']}")
        if name.split(".")[0] not in table["chapters"]:
            found.append(f"{name}: no chapter")
    return found


def asvs_page() -> str:
    """Return the table as Markdown, by chapter, with counts."""
    table = asvs()
    items = table["items"]
    parts = ["# OWASP ASVS 5.0.0, level 1 and 2\n", INTRODUCTION, _counts(items)]
    for chapter, title in table["chapters"].items():
        mine = {name: item for name, item in items.items() if name.split(".")[0] == chapter}
        parts += [f"## {chapter} {title}\n", "| item | level | stands as | how |", "|---|---|---|---|"]
        parts += [_line(name, item) for name, item in mine.items()] + [""]
    return "\n".join(parts)


INTRODUCTION = """\
The numbers are those of the OWASP Application Security Verification Standard 5.0.0 (OWASP Foundation, CC BY-SA 4.0),
whose texts are not repeated here: read them beside this page. Every other word is the project's own. This is a
self-assessment: nobody from outside has checked it, and **no penetration test has been done**. *Proved by tests* means
that the tests named ran and passed in the last `make test`; it is no promise that nothing else can go wrong.
"""


def _counts(items: Mapping[str, Any]) -> str:
    counted = Counter((item["level"], verdict(item)) for item in items.values())
    lines = ["| | level 1 | level 2 | both |", "|---|---|---|---|"]
    for kind, words in VERDICTS.items():
        one, two = counted[(1, kind)], counted[(2, kind)]
        lines.append(f"| {words} | {one} | {two} | {one + two} |")
    levels = Counter(item["level"] for item in items.values())
    return "\n".join([*lines, f"| all | {levels[1]} | {levels[2]} | {levels.total()} |", ""])


def _line(name: str, item: Mapping[str, Any]) -> str:
    return f"| {name} | {item['level']} | {VERDICTS[verdict(item)].split(':')[0]} | {_how(item)} |"


def _how(item: Mapping[str, Any]) -> str:
    kind = verdict(item)
    if kind == "tests":
        return f"{item['how']} {', '.join(f'`{test}`' for test in item['tests'])}"
    if kind == "page":
        return f"{item['how']} [{item['page']}]({item['page']})"
    if kind == "absent":
        return str(absent()[item["absent"]]["words"])
    return str(item[kind])
