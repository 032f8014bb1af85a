"""The safety case holds together: hazards with proved controls, the whole ASVS list, pages that follow their data."""

from __future__ import annotations

import copy
import csv
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.tree import CLINIC, ROOT
from tools import proofs
from tools.asvs import VERDICTS, asvs, faults, verdict
from tools.hazards import MATRIX, UNSIGNED, absent, hazards, orphans, risk

LAST_HAZARD = 42
"""Raised with every new hazard, never lowered: a hazard is closed, not deleted."""
SAFETY = proofs.SAFETY
STANDARD = ROOT.parent / "shared/reliability/asvs-5.0.0.csv"
"""Where the standard lies beside a checkout that has it."""

# ---- hazards -------------------------------------------------------------------------------------------------------

CELLS = {
    1: ["L1S1", "L1S2", "L2S1"],
    2: ["L1S3", "L1S4", "L2S2", "L2S3", "L3S1", "L3S2", "L4S1"],
    3: ["L1S5", "L2S4", "L3S3", "L3S4", "L4S2", "L4S3", "L5S1"],
    4: ["L2S5", "L3S5", "L4S4", "L5S2", "L5S3"],
    5: ["L4S5", "L5S4", "L5S5"],
}
"""The matrix once more, the way its source lists it: two ways to write one table find a slip in either."""


def test_the_matrix_is_the_one_of_its_source() -> None:
    computed = {f"L{lik}S{sev}": risk(lik, sev) for lik in MATRIX for sev in range(1, 6)}
    assert computed == {cell: level for level, cells in CELLS.items() for cell in cells}
    assert len(computed) == 25


def test_the_hazard_log_holds_together() -> None:
    assert orphans(hazards(), absent()) == []


def test_no_hazard_was_deleted() -> None:
    assert [entry["id"] for entry in hazards()] == [f"H{n}" for n in range(1, LAST_HAZARD + 1)]


def _first(**changes: Any) -> list[dict[str, Any]]:
    entry = copy.deepcopy(hazards()[0]) | changes
    return [{key: value for key, value in entry.items() if value is not None}]


def _control(**keys: Any) -> list[dict[str, Any]]:
    return _first(control=[{"what": "something", **keys}])


BROKEN = {
    "no control": (_first(control=[]), "no control"),
    "a control without proof": (_control(), "exactly one of"),
    "a control with two answers": (_control(tests=["tests/docs/test_safety.py::x"], open="later"), "exactly one of"),
    "an unknown test": (_control(tests=["tests/docs/test_safety.py::test_nobody_wrote"]), "unknown test"),
    "an empty list of tests": (_control(tests=[]), "exactly one of"),
    "an unknown feature": (_control(absent="time-machine"), "unknown feature time-machine"),
    "only wishes": (_control(open="later"), "no control is proved"),
    "no harm": (_first(harm=None), "no harm"),
    "no reason": (_first(reason=""), "no reason"),
    "no owner": (_first(owner=None), "no owner"),
    "a severity of six": (_first(initial={"severity": 6, "likelihood": 1}), "from 1 to 5"),
    "no likelihood": (_first(initial={"severity": 3}), "from 1 to 5"),
    "worse afterwards": (_first(residual={"severity": 5, "likelihood": 5}), "higher than the initial one"),
    "an unknown status": (_first(status="fine"), "unknown status fine"),
    "dormant with controls at work": (_first(status="dormant"), "dormant means"),
    "a gap in the ids": ([*_first(), *_first(id="H3")], "without a gap"),
    "an id used twice": ([*_first(), *_first()], "without a gap"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_the_log_is_named(case: str) -> None:
    entries, words = BROKEN[case]
    found = orphans(entries, absent())
    assert any(words in line for line in found), found


def test_every_page_of_the_case_says_that_nobody_has_signed() -> None:
    assert UNSIGNED in (SAFETY / "hazard-log.md").read_text(encoding="utf-8")
    for page in ("intended-use.md", "risk-management.md", "README.md"):
        text = " ".join((SAFETY / page).read_text(encoding="utf-8").split())
        assert "Nobody has signed" in text or "nobody has signed" in text, page
    words = ["fda[- ](cleared|approved)", "ce[- ]marked", "certified by", "clinically validated", "approved by the"]
    claims = re.compile(rf"(?i)\b({'|'.join(words)})\b")
    assert [p.name for p in SAFETY.glob("*.md") if claims.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.django_db
def test_the_screens_say_which_alarm_comes_first(as_nurse: Client) -> None:
    words = "The bedside monitor is the primary alarm."
    told = [as_nurse.get(address).content.decode() for address in ("/treatment/floor/", "/treatment/wall/")]
    assert all(words in page for page in told)
    assert words in (CLINIC / "treatment/templates/treatment/session.html").read_text(encoding="utf-8")
    assert "primary alarm" in (SAFETY / "intended-use.md").read_text(encoding="utf-8")


# ---- the standard --------------------------------------------------------------------------------------------------


def test_the_table_of_the_standard_holds_together() -> None:
    assert faults(asvs()) == []


def test_every_item_of_both_levels_is_there() -> None:
    items = asvs()["items"]
    levels = [item["level"] for item in items.values()]
    assert (levels.count(1), levels.count(2), len(levels)) == (70, 183, 253)
    assert [name for name in items if not re.fullmatch(r"V\d{1,2}\.\d{1,2}\.\d{1,2}", name)] == []
    if STANDARD.exists():
        with STANDARD.open(encoding="utf-8-sig", newline="") as file:
            wanted = {r["req_id"]: int(r["L"]) for r in csv.DictReader(file) if int(r["L"]) < 3}
        assert {name: item["level"] for name, item in items.items()} == wanted


def test_no_text_of_the_standard_is_copied() -> None:
    """Its licence (CC BY-SA) is another than ours; here stand ids and our own words."""
    told = (SAFETY / "asvs.toml").read_text(encoding="utf-8") + (SAFETY / "asvs.md").read_text(encoding="utf-8")
    assert "Verify that" not in told
    if STANDARD.exists():
        with STANDARD.open(encoding="utf-8-sig", newline="") as file:
            texts = [" ".join(r["req_description"].split()) for r in csv.DictReader(file)]
        runs = {" ".join(words[n : n + 9]) for text in texts for words in [text.split()] for n in range(len(words) - 8)}
        mine = " ".join(told.split()).split()
        assert {" ".join(mine[n : n + 9]) for n in range(len(mine) - 8)} & runs == set()


ITEM = {"level": 1, "how": "by this", "tests": ["tests/docs/test_safety.py::test_the_hazard_log_holds_together"]}
BAD_ITEMS = {
    "no verdict": ({"level": 1}, "exactly one of"),
    "two verdicts": ({**ITEM, "na": "no"}, "exactly one of"),
    "an unknown test": ({**ITEM, "tests": ["tests/docs/test_x.py::test_y"]}, "unknown test"),
    "no words": ({"level": 1, "tests": ITEM["tests"]}, "says not how"),
    "an unknown feature": ({"level": 1, "absent": "time-machine"}, "unknown feature"),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
def test_what_breaks_the_table_is_named(case: str) -> None:
    item, words = BAD_ITEMS[case]
    found = faults({"chapters": {"V1": "x"}, "items": {"V1.1.1": item}})
    assert any(words in line for line in found), found
    assert any("no chapter" in line for line in faults({"chapters": {}, "items": {"V1.1.1": ITEM}}))


def test_what_is_written_down_is_there() -> None:
    pages = {item["page"] for item in asvs()["items"].values() if verdict(item) == "page"}
    assert pages
    for page in pages:
        name, _, anchor = page.partition("#")
        assert f'<a id="{anchor}">' in (SAFETY / name).read_text(encoding="utf-8"), page


def test_the_counts_of_the_page_add_up() -> None:
    rows = re.findall(r"^\| ([a-z].*?) \| (\d+) \| (\d+) \| (\d+) \|$", (SAFETY / "asvs.md").read_text("utf-8"), re.M)
    numbers = {name: tuple(map(int, counts)) for name, *counts in rows}
    assert set(numbers) == {*VERDICTS.values(), "all"}
    summed = tuple(sum(numbers[words][n] for words in VERDICTS.values()) for n in range(3))
    assert summed == numbers["all"] == (70, 183, 253)


# ---- proofs --------------------------------------------------------------------------------------------------------


def test_every_named_proof_exists() -> None:
    assert set(proofs.named_tests()) - proofs.known_tests() == set()
    assert len(proofs.named_tests()) > 150


def test_tests_are_known_by_the_name_pytest_gives_them() -> None:
    known = proofs.known_tests()
    assert "tests/docs/test_safety.py::test_tests_are_known_by_the_name_pytest_gives_them" in known
    assert "tests/clinic/screening/test_facts.py::TestTrials::test_none_ever_is_an_answer" in known
    assert not [name for name in known if "/support/" in name or "conftest" in name]


REPORT = """<testsuites><testsuite>
<testcase classname="tests.a.test_one" name="test_good"/>
<testcase classname="tests.a.test_one" name="test_many[1]"/>
<testcase classname="tests.a.test_one" name="test_many[2]"><failure/></testcase>
<testcase classname="tests.a.test_one.TestBox" name="test_inside"/>
<testcase classname="tests.a.test_one" name="test_left_out"><skipped/></testcase>
</testsuite></testsuites>"""


def test_a_proof_must_run_and_pass_everywhere(tmp_path: Path) -> None:
    (tmp_path / "part-0.xml").write_text(REPORT)
    (tmp_path / "part-1.xml").write_text(REPORT.replace("<failure/>", "").replace("test_good", "test_other"))
    reports = sorted(tmp_path.glob("part-*.xml"))
    names = ["test_good", "test_many", "TestBox::test_inside", "test_left_out", "test_never"]
    assert proofs.unproved([f"tests/a/test_one.py::{name}" for name in names], reports) == [
        "tests/a/test_one.py::test_left_out: did not pass",
        "tests/a/test_one.py::test_many: did not pass",
        "tests/a/test_one.py::test_never: did not run",
    ]
