"""The newest hash of every chain outside the database: moved forward, never back, and never in a write's way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from ketaclinic.audit import anchor
from ketaclinic.audit.actions import accept_anchor, anchor_again
from ketaclinic.audit.anchor import EVERY, START, Point, advance, heads, history, point_from
from ketaclinic.audit.chain import TABLE
from ketaclinic.audit.queries import apart_from_anchor
from ketaclinic.audit.verifying import verify_chain
from ketaclinic.cli.main import run
from ketaclinic.cli.starting import anchor_what_was_not
from tests.support.audit import CLINIC, anchored_in, as_owner, forget_open_files, write_entries

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, settings: Any, transactional_db: None) -> Iterator[Path]:
    yield anchored_in(tmp_path, settings)
    forget_open_files()


def test_the_head_moves_when_the_entry_is_committed_and_not_before(folder: Path) -> None:
    write_entries(1)
    with transaction.atomic():
        write_entries(1)
        assert heads()[CLINIC].seq == 1
        transaction.set_rollback(True)
    assert heads()[CLINIC].seq == 1
    write_entries(2)
    assert heads()[CLINIC].seq == 3
    assert (folder.stat().st_mode & 0o777, (folder / f"clinic-{CLINIC}.head").stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_history_holds_the_first_entry_and_some_of_the_rest(folder: Path) -> None:
    write_entries(EVERY + 10)
    assert [(point.seq, point.note) for point in history(CLINIC)] == [(0, "begins"), (EVERY, "")]


def test_an_hour_later_the_history_has_a_line_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_entries(2)
    synced: list[int] = []
    monkeypatch.setattr(anchor.os, "fsync", synced.append)
    now = anchor.time.monotonic()
    monkeypatch.setattr(anchor.time, "monotonic", lambda: now + 61)
    write_entries(1)
    assert (len(synced), [point.seq for point in history(CLINIC)]) == (1, [0])
    monkeypatch.setattr(anchor.time, "monotonic", lambda: now + 3_601)
    write_entries(1)
    assert [point.seq for point in history(CLINIC)] == [0, 4]


def test_two_workers_move_it_forward_in_whatever_order_they_get_there(folder: Path) -> None:
    write_entries(3)
    (second, third) = list(_points(3))[1:]
    forget_open_files()
    (folder / f"clinic-{CLINIC}.head").write_text(Point(CLINIC, 0, START).line())
    assert advance(third)
    assert advance(second), "the slower worker changes nothing and is no fault"
    assert heads()[CLINIC].seq == 3


def _points(number: int) -> list[Point]:
    from ketaclinic.audit.verifying import rows_of

    return [Point(CLINIC, row.seq, row.hash) for row in rows_of(CLINIC)][:number]


def test_an_anchor_that_cannot_be_written_hinders_nobody_and_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture, settings: Any, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    write_entries(1)
    settings.AUDIT_ANCHOR = blocked / "anchor"
    with caplog.at_level(logging.ERROR):
        write_entries(1)
    assert "was not moved" in caplog.text
    settings.AUDIT_ANCHOR = folder
    write_entries(1)
    assert heads()[CLINIC].seq == 3


def test_a_chain_that_could_not_be_anchored_from_its_first_entry_on_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture, settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_ANCHOR = tmp_path / "a file" / "anchor"
    (tmp_path / "a file").write_text("")
    with caplog.at_level(logging.ERROR):
        write_entries(2)
    assert caplog.text.count("was not moved") == 3
    settings.AUDIT_ANCHOR = folder
    with caplog.at_level(logging.ERROR):
        write_entries(2)
    assert caplog.text.count("is gone") == 1
    fault = verify_chain(CLINIC).fault
    assert fault is not None and (fault.seq, fault.kind) == (1, "anchor lost")


def test_what_a_killed_server_had_committed_is_anchored_when_it_starts(folder: Path, settings: Any) -> None:
    write_entries(2)
    settings.AUDIT_ANCHOR = None
    write_entries(3)
    settings.AUDIT_ANCHOR = folder
    found = verify_chain(CLINIC).fault
    assert found is not None and (found.seq, found.kind) == (3, "insertion")
    anchor_what_was_not()
    assert verify_chain(CLINIC).fault is None
    assert history(CLINIC)[-1].note == "caught-up"
    anchor_again(timezone.now())
    assert len(history(CLINIC)) == 2, "what is anchored already is left alone"


def test_a_server_says_at_its_start_that_the_log_is_not_what_was_anchored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_entries(5)
    with as_owner() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE seq = 5")
    anchor_what_was_not()
    assert f"chain {CLINIC} is not what was anchored" in capsys.readouterr().err
    assert apart_from_anchor() == [str(CLINIC)]


def test_after_a_restore_the_anchor_is_accepted_and_the_history_tells(folder: Path) -> None:
    write_entries(EVERY + 4)
    with as_owner() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE seq > 10")
    fault = verify_chain(CLINIC).fault
    assert fault is not None and fault.kind == "tail cut"
    assert run(["audit", "anchor", "--accept", "Restored the backup of Monday."]) == 0
    assert verify_chain(CLINIC).fault is None
    assert heads()[CLINIC].seq == 11
    told = (folder / f"clinic-{CLINIC}.history").read_text()
    assert "accepted as it stands" in told and f" {EVERY} " in told
    with as_owner() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET patient_id = 9 WHERE seq = 1")
    fault = verify_chain(CLINIC).fault
    assert fault is not None and fault.seq == 1


def test_the_commands_refuse_clearly(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "anchor"]) == 0
    assert capsys.readouterr().out == "The log is empty.\n"
    assert run(["audit", "verify"]) == 0
    assert capsys.readouterr().out == "The log is empty.\n"
    write_entries(1)
    for arguments, code, says in (
        (["audit", "anchor", "--accept", " "], 1, "say why"),
        (["audit", "anchor", "--to", str(tmp_path / "none/x.txt")], 3, "cannot be written"),
        (["audit", "verify", "--anchor", str(tmp_path / "none")], 1, "cannot be read"),
        (["audit", "verify", "--clinic", "99"], 1, "no log of clinic 99"),
    ):
        assert run(arguments) == code, arguments
        assert says in capsys.readouterr().err
    (tmp_path / "words.txt").write_text("no line of an anchor\n")
    assert run(["audit", "verify", "--anchor", str(tmp_path / "words.txt")]) == 1
    assert "holds no line" in capsys.readouterr().err
    assert run(["audit", "verify", "--clinic", str(CLINIC), "--json"]) == 0
    assert '"entries": 1' in capsys.readouterr().out


@pytest.mark.parametrize("line", ["", "7", "7 x abc", "x 1 abc", "7 -1 abc", "# a remark about it"])
def test_a_line_that_is_no_point_is_passed_over(line: str) -> None:
    assert point_from(line) is None


def test_a_point_is_read_back_as_it_was_written() -> None:
    for point in (Point(None, 5, "a" * 64, "2026-11-23T17:00:00Z", "accepted after a restore"), Point(7, 1, "b" * 64)):
        assert point_from(point.line()) == point


def test_accepting_without_an_anchor_only_leaves_its_entry(transactional_db: None) -> None:
    accept_anchor(at=timezone.now(), reason="No anchor is kept here.")
    assert heads() == {} and verify_chain(None).entries == 1
    assert verify_chain(None).notes
