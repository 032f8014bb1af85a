"""The papers are true: made pages are fresh, commands exist, links lead somewhere, nothing stands undocumented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ketaclinic.cli.main import COMMANDS
from tests.support.tree import ROOT, all_rules, parsed
from tools.make_docs import pages
from tools.make_reliability import CHAPTERS, Row, figure, not_measured, page

PAPERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md", "CHANGELOG.md")]
EVERY_PAGE = [*PAPERS, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ANCHOR = re.compile(r'<a id="([^"]+)">')


@pytest.mark.parametrize("path", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_made_page_is_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "run `make docs`"


def test_no_page_is_left_of_a_room_that_is_gone() -> None:
    assert set((ROOT / "docs/clinical").glob("*.md")) <= set(pages())


def test_the_commands_of_the_papers_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in EVERY_PAGE for word in re.findall(r"`?\bmake ([a-z]+)`", page.read_text())}
    named |= set(re.findall(r"^(?:PORT=\d+ )?make ([a-z]+)", "".join(p.read_text() for p in PAPERS), re.MULTILINE))
    assert {"run", "test"} <= named
    assert named - targets == set()


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^make (\w+)", script, re.MULTILINE) == ["check", "test"]


@pytest.mark.parametrize("paper", EVERY_PAGE, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(paper: Path) -> None:
    broken = []
    for target in LINK.findall(paper.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (paper.parent / name).resolve() if name else paper
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in ANCHOR.findall(file.read_text())):
            broken.append(target)
    assert broken == []


def test_every_rule_has_its_place_in_the_pages() -> None:
    told = "".join(text for path, text in pages().items() if path.name != "index.md")
    index = pages()[ROOT / "docs/clinical/index.md"]
    assert [rule.rule_id for _, rule in all_rules() if f"### {rule.rule_id} " not in told] == []
    assert [rule.rule_id for _, rule in all_rules() if f"[{rule.rule_id}]" not in index] == []


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/guide/command-line.md").read_text()
    assert [name for name in COMMANDS if f"ketaclinic {name}" not in text] == []


ROWS = [row for chapter in CHAPTERS for row in chapter.rows]


def test_the_page_of_reliability_tells_every_figure() -> None:
    text = (ROOT / "docs/reliability.md").read_text()
    told = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE))
    assert [row.title for row in ROWS if row.title not in told] == [], "run `make reliability`"
    assert [told[row.title] for row in ROWS if not re.match(r"[\d,.]+( \S+)?$", told[row.title])] == []
    assert "not measured" not in text, "run `make reliability`"
    assert re.match(r"\d{4}-\d\d-\d\d", told["date"]) and told["processor"]


def test_what_was_not_measured_is_not_invented() -> None:
    everything = {row.file: {r.key: 1234.5 for r in ROWS if r.file == row.file} for row in ROWS}
    assert not_measured({}) == [row.title for row in ROWS] and not_measured(everything) == []
    without = {**everything, "kill-sqlite": {**everything["kill-sqlite"], "lost": None}}
    assert not_measured(without) == ["SQLite: of them lost"]
    assert figure({"kill-sqlite": {"kills": 0}}, Row("kills", "kill-sqlite", "kills")) == "0"
    assert figure(everything, Row("", "kill-sqlite", "kills", "s")) == "1,234.5 s"
    written = page(everything, {}, 1)
    assert written.count("1,234.5") == len(ROWS) and "All figures are of one whole run" in " ".join(written.split())


def _measuring() -> dict[str, set[str]]:
    """Return, for each beginning of a figure's name, the words of the files that keep figures under it."""
    found: dict[str, set[str]] = {}
    for file in [*(ROOT / "tests").rglob("test_*.py"), ROOT / "benchmarks/restore.py"]:
        nodes = list(ast.walk(parsed(file)))
        words = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
        words |= {str(node.arg) for node in nodes if isinstance(node, ast.keyword)}
        for call in [
            n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) in ("write_figures", "add_figures")
        ]:
            names = [str(node.value) for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
            for name in names:
                found[name] = found.get(name, set()) | words
    return found


def test_every_figure_has_somebody_who_measures_it() -> None:
    measuring = _measuring()
    unmeasured = [
        row.title
        for row in ROWS
        if not any(
            row.file in (name, f"{name}sqlite", f"{name}postgresql") and row.key in measuring[name]
            for name in measuring
        )
    ]
    assert unmeasured == []


def test_every_decision_record_is_listed() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text()
    assert [f.name for f in folder.glob("0*.md") if f.name not in index] == []


def test_settings_are_documented_where_they_are_read() -> None:
    text = "".join(f.read_text() for f in (ROOT / "src/ketaclinic/config").glob("*.py"))
    names = set(re.findall(r"environ(?:\.get)?[\[(]\s*\"(\w+)\"", text))
    assert {name for name in names if f"``{name}``" not in text} == set()
