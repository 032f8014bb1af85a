"""Pages that are made from the code, so that they cannot drift from it.

``docs/clinical/<room>.md``: every rule of a room, and its decision tables; ``docs/clinical/index.md``: all ids;
``docs/clinical/scales.md`` and ``protocols.md``: the instruments and schemes that are data; ``docs/state-machine.md``:
the phases of a session; ``docs/safety/hazard-log.md`` and ``asvs.md``: the safety case, whose data stand beside them;
the map of the rooms inside ``README.md``.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterable
from importlib import import_module, resources
from pathlib import Path

from ketacore.evidence import RULE_PACK, Grade, Rule, RuleSet, load_rules
from ketacore.planning import PROTOCOLS
from ketacore.scales import SCALES, Scale
from ketacore.treatment import TRANSITIONS, diagram
from tools.asvs import asvs_page
from tools.hazards import hazards_page

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by `make docs` from the code. Do not edit. -->\n"
MAP = re.compile(r"(<!-- map -->\n).*(<!-- /map -->)", re.DOTALL)


def main() -> int:
    """Write every page; remove pages of rooms that are gone."""
    made = pages()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in sorted((ROOT / "docs/clinical").glob("*.md")):
        if path not in made:
            path.unlink()
    print(f"wrote {len(made)} pages")
    return 0


def pages() -> dict[Path, str]:
    """Return the text of every generated page by its path."""
    clinical = ROOT / "docs/clinical"
    rooms = {rules.room: rules for rules in rule_sets()}
    made = {clinical / f"{room}.md": room_page(rules) for room, rules in rooms.items()}
    made[clinical / "scales.md"] = scales_page()
    made[clinical / "protocols.md"] = protocols_page()
    made[clinical / "index.md"] = index_page(rooms.values())
    made[ROOT / "docs/state-machine.md"] = state_page()
    made[ROOT / "docs/safety/hazard-log.md"] = f"{MADE}\n{hazards_page()}"
    made[ROOT / "docs/safety/asvs.md"] = f"{MADE}\n{asvs_page()}"
    readme = ROOT / "README.md"
    made[readme] = MAP.sub(rf"\g<1>{room_map()}\g<2>", readme.read_text(encoding="utf-8"))
    return made


def rule_sets() -> list[RuleSet]:
    """Return the rules of every room that has any, in the order of the pathway."""
    found = []
    for room in _layers("core-rooms"):
        data = resources.files("ketacore") / room / "data"
        if data.is_dir() and any(f.name.startswith("rules") for f in data.iterdir()):
            found.append(load_rules(room))
    return found


def room_page(rules: RuleSet) -> str:
    """Return the page of one room's rules."""
    purpose = (import_module(f"ketacore.{rules.room}").__doc__ or "").strip()
    parts = [MADE, f"# {rules.room.capitalize()}\n", f"{purpose}\n", _grades(rules), *map(_rule, rules)]
    tables = _decision_tables(rules.room)
    return "\n".join([*parts, *(["## Decision tables\n", *tables] if tables else [])])


def _grades(rules: Iterable[Rule]) -> str:
    every = list(rules)
    lines = [f"Rule pack {RULE_PACK}: {len(every)} rules.\n", "| grade | rules | meaning |", "|---|---|---|"]
    for grade in Grade:
        count = sum(rule.grade is grade for rule in every)
        if count:
            lines.append(f"| {grade.value} | {count} | {grade.meaning} |")
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> str:
    source = rule.source
    where = f"[{source.title}]({source.url})" if source.url else source.title
    rows = {
        "kind, effect": f"{_words(rule.kind)}, {_words(rule.effect)}",
        "where": ", ".join(rule.jurisdiction) + (f"; {', '.join(rule.product)}" if rule.product else ""),
        "grade": f"{rule.grade.value}: {rule.grade.meaning}",
        "source": f"{where}, {source.section} ({source.version}, read {source.checked_on})",
        "numbers": ", ".join(f"`{k}` = {_value(v)}" for k, v in rule.parameters.items()),
        "facts it needs": ", ".join(f"`{name}`" for name in rule.needs),
        "may be passed by": _override(rule),
        "acts": _acts(rule),
        "reviewed": f"{rule.review.author}; {rule.review.checker}; {rule.review.reviewed_on}, "
        f"due {rule.review.review_due}",
    }
    table = "\n".join(f"| {name} | {_cell(text)} |" for name, text in rows.items() if text)
    anchor = rule.rule_id.lower()
    head = f'<a id="{anchor}"></a>\n\n### {rule.rule_id} {rule.title}\n\n{rule.text}\n'
    return f"{head}\n| version | {rule.rule_version} |\n|---|---|\n{table}\n"


def _acts(rule: Rule) -> str:
    last = rule.expires or rule.effective_to
    days = f"from {rule.effective_from}" + (f" to {last}" if last else "")
    if rule.grade is Grade.D:
        return f"{days}, only while the medical director's signature stands"
    return days if rule.enabled else "no: disabled until its source is checked"


def _override(rule: Rule) -> str:
    if not rule.effect.stops:
        return ""
    if not rule.override.roles:
        return "nobody"
    terms = ["with a reason"] * rule.override.reason_required + [
        "with a second signature"
    ] * rule.override.second_signoff
    return " ".join([", ".join(rule.override.roles), *terms])


def _decision_tables(room: str) -> list[str]:
    """Return the decision tables that the tests of a room assert, as Markdown."""
    folder = ROOT / "tests/spec" / room
    return [file.read_text(encoding="utf-8").strip() + "\n" for file in sorted(folder.glob("*.md"))]


def scales_page() -> str:
    """Return the page of the instruments."""
    return "\n".join(
        [MADE, "# Scales\n", "What may be shown of an instrument follows its licence.\n", *map(_scale, SCALES.values())]
    )


def _scale(scale: Scale) -> str:
    rows = {
        "measures": f"{scale.measures}; {scale.recall}",
        "items": f"{len(scale.items)}, total {scale.lowest} to {scale.highest}",
        "bands": ", ".join(f"{band.name} {band.low}-{band.high}" for band in scale.bands),
        "remission": f"below {scale.remission.below} ({scale.remission.rule.rule_id})" if scale.remission else "",
        "change that counts": ", ".join(f"{c.name}: {c.points:g} ({c.rule.rule_id})" for c in scale.changes),
        "asks for an assessment": ", ".join(
            f"{i.item} from {i.at_least} ({i.rule.rule_id})" for i in scale.suicide_items
        ),
        "licence": f"{scale.licence.statement} ({scale.licence.mode.meaning})",
        "a missing item": "gives no number",
    }
    table = "\n".join(f"| {name} | {_cell(text)} |" for name, text in rows.items() if text)
    return "\n".join(
        [
            f"## {scale.name}: {scale.title}\n",
            f"| version | {scale.version} |\n|---|---|\n{table}\n",
            *map(_rule, scale.rules),
        ]
    )


def protocols_page() -> str:
    """Return the page of the protocols: order and rhythm are data, every number names its rule."""
    parts = [
        MADE,
        "# Protocols\n",
        "A plan is made from one of these; every number stands in the rule that is named.\n",
    ]
    for protocol in PROTOCOLS.values():
        signed = ", ".join(rule.rule_id for rule in protocol.needs_signed) or "none"
        dose = f"{protocol.first_dose:g} {protocol.dose_unit} ({protocol.first_dose_rule.rule_id})"
        lines = [
            f"## {protocol.title}\n",
            f"`{protocol.protocol_id}`, version {protocol.version}: {protocol.basis}. Product `{protocol.product}`, "
            f"{protocol.indication}, {', '.join(protocol.jurisdiction)}. First dose {dose}. "
            f"Policies that must be signed: {signed}.\n",
            "| phase | weeks | sessions a week | rule |",
            "|---|---|---|---|",
        ]
        for phase in protocol.phases:
            weeks = f"{phase.first_week} to {phase.last_week}" if phase.last_week else f"from {phase.first_week}"
            lines.append(f"| {phase.title} | {weeks} | {phase.sessions_per_week} | {phase.rule.rule_id} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def index_page(rooms: Iterable[RuleSet]) -> str:
    """Return the list of all rules by room."""
    parts = [MADE, "# Clinical rules\n", f"Rule pack {RULE_PACK}. [Scales](scales.md), [protocols](protocols.md).\n"]
    for rules in rooms:
        parts += [
            f"## [{rules.room.capitalize()}]({rules.room}.md)\n",
            "| rule | title | grade | effect |",
            "|---|---|---|---|",
        ]
        parts += [
            f"| [{r.rule_id}]({rules.room}.md#{r.rule_id.lower()}) | {r.title} | {r.grade.value} | {_words(r.effect)} |"
            for r in rules
        ]
        parts.append("")
    parts += ["## [Scales](scales.md)\n", "| rule | title | grade | effect |", "|---|---|---|---|"]
    parts += [
        f"| [{r.rule_id}](scales.md#{r.rule_id.lower()}) | {r.title} | {r.grade.value} | {_words(r.effect)} |"
        for scale in SCALES.values()
        for r in scale.rules
    ]
    return "\n".join(parts) + "\n"


def state_page() -> str:
    """Return the page of the session's phases, drawn from the table the code uses."""
    rows = [
        f"| {source} | {step.replace('_', ' ')} | {target} |"
        for source, steps in TRANSITIONS.items()
        for step, target in steps.items()
    ]
    head = ["# The phases of a session\n", f"```mermaid\n{diagram()}```\n", "| in | on | becomes |", "|---|---|---|"]
    return "\n".join([MADE, *head, *rows]) + "\n"


def room_map() -> str:
    """Return the map of both packages, from the import contracts."""
    lines = ["| room | core decides | clinic records |", "|---|---|---|"]
    core, clinic = _layers("core-rooms"), _layers("clinic-rooms")
    order = [*(room for room in clinic if room not in core and clinic.index(room) < clinic.index("screening"))]
    order += [room for room in core if room not in clinic]
    order += [room for room in clinic if room in core]
    order += [room for room in clinic if room not in order]
    for room in dict.fromkeys(order):
        cells = [
            _purpose(package, room) if room in rooms else ""
            for package, rooms in (("ketacore", core), ("ketaclinic", clinic))
        ]
        lines.append(f"| `{room}` | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def _purpose(package: str, room: str) -> str:
    """Return the first sentence of a room's own description, read without running its code."""
    folder = ROOT / "src" / package / room
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    first = " ".join(told.split("\n\n")[0].split())
    return _cell(re.split(r"(?<=[.?])\s+(?=[A-Z])", first)[0])


def _layers(contract: str) -> list[str]:
    reader = configparser.ConfigParser()
    reader.read(ROOT / ".importlinter")
    return list(reversed(reader[f"importlinter:contract:{contract}"]["layers"].split()))


def _words(value: str) -> str:
    return str(value).replace("_", " ")


def _value(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
