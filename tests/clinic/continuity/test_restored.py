"""What everybody sees after a restore, until somebody who answers for the clinic has read it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import reverse

from ketaclinic.access.actions.invitations import invite
from ketaclinic.audit.models import AuditEntry
from ketaclinic.cli import repeating
from ketaclinic.cli.repeating import repeat
from ketaclinic.continuity.actions.anchored import points_outside
from ketaclinic.continuity.actions.restored import Missing, acknowledge_restoration, end_all_sign_ins, mark_restored
from ketaclinic.continuity.models import Restoration, RestorationSeen
from ketaclinic.continuity.queries.restorations import newest_restoration, restoration_in
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketacore.evidence import Refusal
from tests.support import clock
from tests.support.people import NOON, make_clinic, make_staff

MADE, LOST = NOON - timedelta(hours=3), NOON - timedelta(hours=1)


@pytest.fixture
def administrator(clinic: Clinic) -> Staff:
    return make_staff(clinic, Role.ADMINISTRATOR)


@pytest.fixture
def restored(administrator: Staff) -> Restoration:
    missing = Missing(MADE, LOST, 37)
    mark_restored(by="root", at=NOON, backup_at=MADE, missing=missing, application="0.1.0", sha256="ab" * 32)
    found = newest_restoration(administrator.clinic)
    assert found is not None
    return found


def _page(member: Staff, path: str) -> str:
    browser = Client()
    browser.force_login(member.user)
    return browser.get(path).content.decode()


def test_a_banner_stands_until_it_is_acknowledged(
    restored: Restoration, administrator: Staff, nurse: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.install(monkeypatch, NOON + timedelta(minutes=5))
    says = "Entries between 23 Nov 2026, 09:00 and 23 Nov 2026, 11:00 are missing"
    staff, downtime = reverse("access:staff"), reverse("continuity:downtime")
    assert says in _page(administrator, staff) and says not in _page(nurse, reverse("treatment:floor"))
    shown = _page(nurse, downtime)
    assert "At least 37 entries of the audit log are lost" in shown and "I have read" not in shown
    browser = Client()
    browser.force_login(administrator.user)
    assert "I have read which entries are missing" in browser.get(downtime).content.decode()
    for _ in range(2):
        done = browser.post(reverse("continuity:restoration_seen", args=[restored.pk]))
        assert done.status_code == 302
    assert RestorationSeen.objects.count() == 1
    assert AuditEntry.objects.filter(action="acknowledge_restoration").count() == 1
    assert says not in browser.get(staff).content.decode()
    assert f"Read by {administrator.display_name}" in browser.get(downtime).content.decode()


def test_it_stands_in_the_audit_log_of_every_clinic(administrator: Staff) -> None:
    other = make_clinic(name="Another Synthetic Clinic")
    mark_restored(by="root", at=NOON, backup_at=MADE, missing=Missing(MADE, LOST), application="1", sha256="c" * 64)
    entries = AuditEntry.objects.filter(action="restore").order_by("clinic_id")
    assert [e.clinic_id for e in entries] == sorted([administrator.clinic_id, other.pk])
    assert {e.reason for e in entries} == {"by root from cccccccccccc"}
    assert {r.detail for r in Restoration.objects.all()} == {""}


def test_only_who_answers_for_this_clinic_acknowledges(restored: Restoration, nurse: Staff) -> None:
    with pytest.raises(PermissionDenied):
        acknowledge_restoration(restoration=restored, by=nurse, at=NOON)
    elsewhere = make_staff(make_clinic(name="Another Synthetic Clinic"), Role.ADMINISTRATOR)
    with pytest.raises(PermissionDenied):
        acknowledge_restoration(restoration=restored, by=elsewhere, at=NOON)
    with pytest.raises(Http404):
        restoration_in(elsewhere.clinic, restored.pk)
    assert str(restored).startswith("restored 2026-11-23 17:00")


def test_every_sign_in_is_ended(administrator: Staff) -> None:
    browser = Client()
    browser.force_login(administrator.user)
    _, token = invite(user=administrator.user, purpose="recover", by=administrator, at=NOON)
    browser.force_login(administrator.user)
    assert Client().get(f"/invitation/{token}/")["Location"] == "/invitation/"
    assert end_all_sign_ins(NOON) == 2 and Session.objects.count() == 0
    assert Client().get(f"/invitation/{token}/").status_code == 404, "a link used after the backup holds no second time"
    assert browser.get(reverse("access:staff")).status_code == 302


def test_an_anchor_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "printed.txt"
    file.write_text("1 7 aa 2026-11-23T10:00:00Z\n1 9 bb 2026-11-23T11:00:00Z note\n- 2 cc\n1 x\n")
    assert [(p.clinic_id, p.seq, p.hash) for p in points_outside(file)] == [(None, 2, "cc"), (1, 7, "aa"), (1, 9, "bb")]
    (tmp_path / "odd.txt").write_text("1 seven aa\n")
    for place in (tmp_path / "odd.txt", tmp_path / "none"):
        with pytest.raises(Refusal):
            points_outside(place)


def test_what_an_earlier_restore_took_back_is_not_held_against_the_log(tmp_path: Path) -> None:
    lines = ["1 256 aa T", "2 300 bb T", "1 512 cc T", "1 260 dd T accepted after a restore", "1 512 ee T"]
    (tmp_path / "clinics.history").write_text("\n".join(lines))
    (tmp_path / "clinic-1.head").write_text("1 600 ff T\n")
    found = {(p.clinic_id, p.seq): p.hash for p in points_outside(tmp_path)}
    assert found == {(1, 256): "aa", (1, 260): "dd", (1, 512): "ee", (1, 600): "ff", (2, 300): "bb"}


def test_again_and_again_goes_on_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], db: None
) -> None:
    rounds: list[int] = []

    def work(at: object) -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise click.ClickException("no room")
        if len(rounds) == 2:
            raise OSError("Sina Synthetic")
        return True

    monkeypatch.setattr(repeating, "_LOOK_SECONDS", 0)
    alive = iter([True, True, True, False])
    monkeypatch.setattr(repeating.os, "getppid", lambda: 1 if next(alive) else 0)
    assert repeat(work, every_seconds=0, parent=1) == 0 and len(rounds) == 3
    said = capsys.readouterr().err
    assert "no room" in said and "this round failed (OSError)" in said and "Sina" not in said
    assert repeat(lambda at: False, every_seconds=None) == 1
