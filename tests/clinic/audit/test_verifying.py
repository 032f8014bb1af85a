"""What a database without constraints could hold: the walk names it and never breaks on it."""

from __future__ import annotations

from typing import Any

import pytest

from ketaclinic.audit.anchor import Point
from ketaclinic.audit.chain import FIELDS, body_of, digest, moment
from ketaclinic.audit.verifying import Row, _Points, _Walk
from tests.support.people import NOON


def chain(number: int) -> list[Row]:
    """Return a chain of rows as a walk meets them."""
    rows, previous = [], ""
    for seq in range(1, number + 1):
        values = [7, "2026-11-23 17:00:00", *[""] * (len(FIELDS) - 2)]
        own = digest(previous, seq, body_of(values))
        rows.append(Row(seq * 10, seq, previous, own, values))
        previous = own
    return rows


def walked(rows: list[Row], *points: Point, monkeypatch: pytest.MonkeyPatch) -> _Walk:
    def after(_clinic: int | None, seq: Any = None) -> Any:
        return iter([row for row in rows if isinstance(row.seq, int) and row.seq > seq])

    monkeypatch.setattr("ketaclinic.audit.verifying.rows_of", after)
    walk = _Walk(7, _Points(7, points))
    for row in rows:
        walk.step(row)
        if walk.fault is not None:
            break
    walk.end()
    return walk


def test_a_sound_chain_has_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = chain(5)
    walk = walked(rows, Point(7, 5, rows[-1].hash[:12]), monkeypatch=monkeypatch)
    assert (walk.fault, walk.entries, walk.vouched) == (None, 5, 5)


@pytest.mark.parametrize("seq", [3, "three", None, 2.5])
def test_a_number_twice_or_none_at_all_is_an_insertion(seq: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = chain(5)
    rows.insert(3, Row(999, seq, "", "", rows[0].values))
    fault = walked(rows, monkeypatch=monkeypatch).fault
    assert fault is not None and (fault.seq, fault.key, fault.kind) == (seq, 999, "insertion")


def test_a_key_older_than_the_one_before_is_an_insertion(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = chain(5)
    rows[3] = Row(5, 4, rows[3].previous_hash, rows[3].hash, rows[3].values)
    fault = walked(rows, monkeypatch=monkeypatch).fault
    assert fault is not None and (fault.seq, fault.key, fault.kind) == (4, 5, "insertion")


def test_a_first_entry_that_follows_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = chain(2)
    first = rows[0]
    rows[0] = Row(first.key, 1, "f" * 64, digest("f" * 64, 1, body_of(first.values)), first.values)
    fault = walked(rows, monkeypatch=monkeypatch).fault
    assert fault is not None and (fault.seq, fault.kind) == (1, "edit")


def test_a_hash_shorter_than_twelve_digits_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = walked(chain(2), Point(7, 2, "abc"), monkeypatch=monkeypatch)
    assert walk.fault is None and not walk.points.known


def test_the_text_that_is_hashed_is_the_same_on_every_database() -> None:
    assert moment(NOON) == moment("2026-11-23 17:00:00") == "2026-11-23 17:00:00"
    assert moment(NOON.replace(microsecond=17)) == "2026-11-23 17:00:00.000017"
    assert body_of([None, NOON, None, "é", b"\x00"]) == (
        '["ketaclinic-audit-1",null,"2026-11-23 17:00:00",null,"\\u00e9","b\'\\\\x00\'"]'
    )
    assert digest("", 1, "x") == "c3ad81918b7fe6628dd8b31cdde0bdb625cb49fbee592e3658ce412ed46ef852"
