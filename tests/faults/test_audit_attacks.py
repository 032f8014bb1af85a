"""Whoever owns the database attacks the audit log with SQL; every attack is found, and its first bad row is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ketaclinic.audit import anchor
from ketaclinic.audit.chain import FIELDS, TABLE
from ketaclinic.audit.queries import apart_from_anchor
from ketaclinic.audit.verifying import Fault, verify_chain
from ketaclinic.cli.main import run
from ketaclinic.cli.starting import anchor_what_was_not
from tests.support.audit import (
    CLINIC,
    anchored_in,
    as_owner,
    forget_open_files,
    hash_again,
    key_of,
    write_entries,
)
from tests.support.figures import add_figures

ENTRIES = 600
MINE = f"clinic_id = {CLINIC}"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log(tmp_path: Path, settings: Any, transactional_db: None) -> Iterator[Path]:
    """A log of 600 entries with its anchor; the neighbour's log beside it."""
    folder = anchored_in(tmp_path, settings)
    write_entries(ENTRIES)
    write_entries(3, clinic_id=CLINIC + 1)
    yield folder
    forget_open_files()
    with as_owner() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")


Attack = Callable[[Any], None]


def edit(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET patient_id = 99 WHERE {MINE} AND seq = 40")


def edit_who(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET actor_id = 99 WHERE {MINE} AND seq = 1")


def edit_and_hash(cursor: Any) -> None:
    edit(cursor)
    hash_again(cursor, 40, 40)


def edit_the_link(cursor: Any) -> None:
    hash_again(cursor, 40, 40)
    cursor.execute(f"UPDATE {TABLE} SET previous_hash = %s WHERE {MINE} AND seq = 40", ["0" * 64])


def delete(cursor: Any) -> None:
    cursor.execute(f"DELETE FROM {TABLE} WHERE {MINE} AND seq = 40")


def delete_the_first(cursor: Any) -> None:
    cursor.execute(f"DELETE FROM {TABLE} WHERE {MINE} AND seq <= 10")


def delete_and_close_the_gap(cursor: Any) -> None:
    cursor.execute(f"DELETE FROM {TABLE} WHERE {MINE} AND seq IN (40, 41)")
    _shift(cursor, 42, -2)


def _shift(cursor: Any, first: int, by: int) -> None:
    cursor.execute(f"UPDATE {TABLE} SET seq = -seq WHERE {MINE} AND seq >= %s", [first])
    cursor.execute(f"UPDATE {TABLE} SET seq = %s - seq WHERE {MINE} AND seq < 0", [by])


def _forge(cursor: Any, seq: int, after: int) -> None:
    """Put in a copy of entry 5 about another patient, under a number of the attacker's choice."""
    rest = [name for name in FIELDS if name != "patient_id"]
    columns = ", ".join(rest)
    cursor.execute(
        f"INSERT INTO {TABLE} ({columns}, patient_id, seq, previous_hash, hash) SELECT {columns}, 99, %s, "
        f"(SELECT hash FROM {TABLE} WHERE {MINE} AND seq = %s), '' FROM {TABLE} WHERE {MINE} AND seq = 5",
        [seq, after],
    )


def insert_and_make_room(cursor: Any) -> None:
    _shift(cursor, 40, 1)
    _forge(cursor, 40, after=39)
    hash_again(cursor, 40, 40)


def insert_before_the_first(cursor: Any) -> None:
    _forge(cursor, 0, after=39)


def insert_at_the_end(cursor: Any) -> None:
    _forge(cursor, ENTRIES + 1, after=ENTRIES)
    hash_again(cursor, ENTRIES + 1)


def reorder(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET seq = -1 WHERE {MINE} AND seq = 40")
    cursor.execute(f"UPDATE {TABLE} SET seq = 40 WHERE {MINE} AND seq = 41")
    cursor.execute(f"UPDATE {TABLE} SET seq = 41 WHERE {MINE} AND seq = -1")


def reorder_a_stretch(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET seq = -seq WHERE {MINE} AND seq BETWEEN 40 AND 59")
    cursor.execute(f"UPDATE {TABLE} SET seq = 99 + seq WHERE {MINE} AND seq < 0")


def cut_the_tail(cursor: Any) -> None:
    cursor.execute(f"DELETE FROM {TABLE} WHERE {MINE} AND seq > 590")


def cut_everything(cursor: Any) -> None:
    cursor.execute(f"DELETE FROM {TABLE} WHERE {MINE}")


def rewrite_all(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET reason = 'nothing happened' WHERE {MINE}")
    hash_again(cursor, 1)


def rewrite_from_the_middle(cursor: Any) -> None:
    cursor.execute(f"UPDATE {TABLE} SET patient_id = 99 WHERE {MINE} AND seq = 300")
    hash_again(cursor, 300)


def spoil_a_moment(cursor: Any) -> None:
    told = "'yesterday'" if connection.vendor == "sqlite" else "'1999-12-31T00:00Z'"
    cursor.execute(f"UPDATE {TABLE} SET at = {told} WHERE {MINE} AND seq = 40")


@dataclass(frozen=True, slots=True)
class Expected:
    seq: int
    kind: str


ATTACKS: dict[Attack, Expected] = {
    edit: Expected(40, "edit"),
    edit_who: Expected(1, "edit"),
    edit_and_hash: Expected(40, "edit"),
    edit_the_link: Expected(40, "edit"),
    spoil_a_moment: Expected(40, "edit"),
    delete: Expected(40, "deletion"),
    delete_the_first: Expected(1, "deletion"),
    delete_and_close_the_gap: Expected(40, "deletion"),
    insert_and_make_room: Expected(40, "insertion"),
    insert_before_the_first: Expected(0, "insertion"),
    insert_at_the_end: Expected(ENTRIES + 1, "insertion"),
    reorder: Expected(40, "reordering"),
    reorder_a_stretch: Expected(40, "reordering"),
    cut_the_tail: Expected(591, "tail cut"),
    cut_everything: Expected(1, "tail cut"),
    rewrite_all: Expected(1, "rewrite"),
    rewrite_from_the_middle: Expected(257, "rewrite"),
}
"""What each attack is found as; a rewrite is dated by the last anchored entry before it, every 256 entries."""


def fault_of(clinic_id: int = CLINIC) -> Fault | None:
    return verify_chain(clinic_id).fault


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_is_found_and_its_first_bad_row_named(
    attack: Attack, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fault_of() is None
    keys = {seq: key_of(seq) for seq in (1, 40, 257)}
    with as_owner() as cursor:
        attack(cursor)
    found, expected = fault_of(), ATTACKS[attack]
    assert found is not None
    assert (found.seq, found.kind) == (expected.seq, expected.kind), found.says
    if found.kind in ("edit", "rewrite"):
        assert found.key == keys[expected.seq]
    assert fault_of(CLINIC + 1) is None
    capsys.readouterr()
    assert run(["audit", "verify"]) == 1
    told = capsys.readouterr().out
    assert f"FAILED  clinic {CLINIC}: first bad entry {expected.seq}" in told and expected.kind in told
    assert f"ok      clinic {CLINIC + 1}: 3 entries" in told
    add_figures("audit", {"attacks": 1, "found": 1})


@pytest.mark.parametrize("attack", [rewrite_all, rewrite_from_the_middle, cut_the_tail], ids=lambda a: a.__name__)
def test_writing_on_does_not_cover_an_attack_up(attack: Attack, log: Path) -> None:
    """The anchor does not move to a chain that no longer holds its anchored entry, and says so in its history."""
    with as_owner() as cursor:
        attack(cursor)
    write_entries(30)
    found, expected = fault_of(), ATTACKS[attack]
    assert found is not None
    assert found.kind == ("rewrite" if attack is cut_the_tail else expected.kind)
    assert anchor.heads()[CLINIC].seq == ENTRIES
    assert "broken" in (log / f"clinic-{CLINIC}.history").read_text()


def test_a_head_on_paper_finds_what_the_lost_anchor_cannot(
    log: Path, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = tmp_path / "paper.txt"
    assert run(["audit", "anchor", "--to", str(paper)]) == 0
    by_hand = tmp_path / "by-hand.txt"
    by_hand.write_text(
        "\n".join(" ".join(line.split()[:2]) + " " + line.split()[2][:12].upper() for line in paper.open())
    )
    settings.AUDIT_ANCHOR = tmp_path / "an empty one"
    with as_owner() as cursor:
        rewrite_all(cursor)
    capsys.readouterr()
    assert run(["audit", "verify"]) == 1
    assert "anchor lost: the anchor of this log is gone" in capsys.readouterr().out
    for file in (paper, by_hand):
        assert run(["audit", "verify", "--anchor", str(file)]) == 1
        assert f"first bad entry 1 (row {key_of(1)}): rewrite" in capsys.readouterr().out


def test_the_database_itself_refuses_to_change_or_delete(log: Path) -> None:
    from django.db import DatabaseError, transaction

    statements = [f"UPDATE {TABLE} SET reason = 'x'", f"DELETE FROM {TABLE}"]
    if connection.vendor == "postgresql":
        statements.append(f"TRUNCATE {TABLE}")
    for statement in statements:
        with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
            connection.cursor().execute(statement)
    assert fault_of() is None


def test_a_running_server_puts_a_deleted_anchor_file_back(log: Path) -> None:
    (log / f"clinic-{CLINIC}.head").unlink()
    write_entries(1)
    assert anchor.heads()[CLINIC].seq == ENTRIES + 1
    assert fault_of() is None
    assert "put back" in (log / f"clinic-{CLINIC}.history").read_text()


def test_a_running_server_covers_no_cut_up_when_the_anchor_file_was_deleted_with_it(log: Path) -> None:
    (log / f"clinic-{CLINIC}.head").unlink()
    with as_owner() as cursor:
        cut_the_tail(cursor)
    write_entries(1)
    found = fault_of()
    assert found is not None and anchor.heads()[CLINIC].seq == ENTRIES


@pytest.mark.parametrize("pattern", ["*.head", "*"], ids=["head", "whole anchor"])
def test_an_anchor_that_was_deleted_while_no_server_ran_is_a_fault_until_it_is_accepted(
    log: Path, pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_open_files()
    for file in log.glob(pattern):
        file.unlink()
    with as_owner() as cursor:
        cut_the_tail(cursor)
    anchor_what_was_not()
    assert f"chain {CLINIC} is not what was anchored, or its anchor is gone" in capsys.readouterr().err
    write_entries(3)
    assert CLINIC not in anchor.heads() and str(CLINIC) in apart_from_anchor()
    found = fault_of()
    assert found is not None
    dated = found.kind, found.seq > 256 if pattern == "*.head" else found.seq == 1
    assert dated == ("anchor lost", True)
    assert run(["audit", "anchor", "--accept", "The disk of the anchor broke."]) == 0
    assert fault_of() is None and apart_from_anchor() == []
    assert "although the anchor was lost" in (log / f"clinic-{CLINIC}.history").read_text()
