"""Backups made while the clinic writes, and brought back: everything or nothing, and never in the clear."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pyrage
import pytest

from benchmarks.server import KETACLINIC
from ketaclinic.continuity.actions.keys import new_pair, read_key_file
from ketaclinic.continuity.actions.packing import packed, unpacked
from ketaclinic.continuity.actions.sealed import HEAD_BYTES, read_head, seal, unsealed
from ketacore.evidence import Refusal
from tests.clinic.continuity.conftest import ketaclinic
from tests.clinic.continuity.rows import all_rows
from tests.support.ready import without_ours


def _on(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the clinic that all tests share."""
    environment = {**without_ours(os.environ), "KETACLINIC_DATA": str(data)}
    command = [KETACLINIC, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def key(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the private key of the clinic, kept elsewhere."""
    file = tmp_path_factory.mktemp("safe") / "clinic.key"
    done = _on(built, "backup", "keygen", "--to", str(file))
    assert done.returncode == 0 and file.stat().st_mode & 0o077 == 0
    assert "AGE-SECRET" not in done.stdout + done.stderr
    return file


@pytest.fixture(scope="session")
def public(key: Path) -> str:
    found = re.search(r"# public key: (age1\w+)", key.read_text())
    assert found is not None
    return found[1]


@pytest.fixture(scope="session")
def sealed(built: Path, public: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one good backup, for all the tests that spoil it."""
    file = tmp_path_factory.mktemp("kept") / "good.kcbackup"
    (built / "uploads").mkdir()
    (built / "uploads/paper.bin").write_bytes(bytes(range(256)) * 40)
    assert _on(built, "backup", "--to", str(file), "--recipient", public).returncode == 0
    return file


def _restored(file: Path, key: Path, into: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return ketaclinic("restore", str(file), "--identity", str(key), "--into", str(into), *more)


def _refused(done: subprocess.CompletedProcess[str], into: Path, says: str) -> None:
    """One line, the right one, and nothing left behind."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("ketaclinic:")]
    assert len(lines) == 1 and says in lines[0] and "Traceback" not in done.stderr, done.stderr
    assert not into.exists()


def test_a_clinic_comes_back_as_it_was(demo: Path, sealed: Path, key: Path, tmp_path: Path) -> None:
    done = _restored(sealed, key, tmp_path / "new", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    before, after = all_rows(demo / "ketaclinic.sqlite3"), all_rows(tmp_path / "new/ketaclinic.sqlite3")
    changed = {t for t in before if before[t] != after[t]}
    assert changed <= {
        "continuity_restoration",
        "audit_auditentry",
        "sqlite_sequence",
        "django_session",
        "access_presence",
    }
    assert before["audit_auditentry"] <= after["audit_auditentry"]
    assert told["rows"] == sum(len(rows) for t, rows in before.items() if t != "django_session")
    assert (tmp_path / "new/uploads/paper.bin").read_bytes() == bytes(range(256)) * 40 and told["files"] > 1
    assert (tmp_path / "new/secret-key").read_text() == (demo / "secret-key").read_text()
    assert (tmp_path / "new/secret-key").stat().st_mode & 0o077 == 0 and not list(
        (tmp_path / "new").glob("restoring-*")
    )
    assert (tmp_path / "new/ketaclinic.sqlite3").stat().st_mode & 0o077 == 0
    os.environ["KETACLINIC_DATA"] = str(tmp_path / "new")
    checked = json.loads(ketaclinic("check", "--json").stdout)
    assert {c["name"]: c["ok"] for c in checked["checks"]}["sqlite journal_mode"]


def test_nothing_readable_lies_in_a_backup_or_beside_it(demo: Path, public: str) -> None:
    """Names of patients stand in the database, and in no file that the backup has touched."""
    database = sqlite3.connect(demo / "ketaclinic.sqlite3")
    names = [row[0].encode() for row in database.execute("SELECT DISTINCT family_name FROM people_patient")]
    numbers = [row[0].encode() for row in database.execute("SELECT record_number FROM people_patient")]
    database.close()
    before = set(demo.rglob("*"))
    assert ketaclinic("backup", "--recipient", public).returncode == 0
    (made,) = (demo / "backups").glob("*.kcbackup")
    new = {p for p in set(demo.rglob("*")) - before if p.is_file() and not p.name.startswith("ketaclinic.sqlite3")}
    newest = demo / "backups/newest.json"
    assert made in new and new <= {made, newest, demo / "installation-id"}
    for file in (made, newest):
        text = file.read_bytes()
        assert [n for n in (*names, *numbers) if len(n) > 4 and n in text] == []
    assert made.stat().st_mode & 0o077 == 0


def test_it_opens_with_age_and_tar_alone(sealed: Path, key: Path, tmp_path: Path) -> None:
    """Without this program: cut off the head, decrypt, untar. Here by the library of age."""
    secret = pyrage.x25519.Identity.from_str(key.read_text().splitlines()[-1])
    inside = pyrage.decrypt(sealed.read_bytes()[HEAD_BYTES:], [secret])
    with tarfile.open(fileobj=BytesIO(inside)) as archive:
        names = archive.getnames()
    assert names[0] == "about.json" and names[-1] == "manifest.json" and "schema.json" in names


# ---- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.999])
def test_any_flipped_byte_is_found(sealed: Path, key: Path, tmp_path: Path, share: float) -> None:
    data = bytearray(sealed.read_bytes())
    place = HEAD_BYTES + int(share * (len(data) - HEAD_BYTES))
    data[place] ^= 0x01
    (tmp_path / "bad.kcbackup").write_bytes(data)
    _refused(_restored(tmp_path / "bad.kcbackup", key, tmp_path / "new"), tmp_path / "new", "damaged")


def test_every_byte_of_the_head_counts(sealed: Path, key: Path, tmp_path: Path) -> None:
    """Flipped in process, byte by byte: either the head refuses, or what stands inside contradicts it."""
    good, data, passed = read_head(sealed), bytearray(sealed.read_bytes()[: HEAD_BYTES + 64]), []
    rest = sealed.stat().st_size
    spoiled = tmp_path / "head.kcbackup"
    for place in range(HEAD_BYTES):
        data[place] ^= 0x04
        spoiled.write_bytes(data)
        os.truncate(spoiled, rest)
        try:
            head = read_head(spoiled)
            passed.append((head.installation, head.made_at, head.application, head.sha256))
        except Refusal:
            pass
        data[place] ^= 0x04
    told = (good.installation, good.made_at, good.application, good.sha256)
    assert told not in passed and 0 < len(passed) < 200


def test_a_head_that_belongs_to_another_backup_is_refused(sealed: Path, key: Path, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    for old, new in ((b'"made_at": "2', b'"made_at": "3'), (b'"application": "0', b'"application": "9')):
        spoiled = tmp_path / f"{new[1:5].decode()}.kcbackup"
        spoiled.write_bytes(data.replace(old, new, 1))
        _refused(_restored(spoiled, key, tmp_path / "new"), tmp_path / "new", "first lines do not belong")


CUTS = [(-1, "cut short"), (5_000, "cut short"), (1_000, "cut short"), (10, "no backup"), (0, "no backup")]


@pytest.mark.parametrize(("cut", "says"), CUTS)
def test_a_truncated_file_is_refused(sealed: Path, key: Path, tmp_path: Path, cut: int, says: str) -> None:
    (tmp_path / "bad.kcbackup").write_bytes(sealed.read_bytes()[:cut])
    _refused(_restored(tmp_path / "bad.kcbackup", key, tmp_path / "new"), tmp_path / "new", says)


def test_what_is_no_backup_is_refused(key: Path, sealed: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.kcbackup"
    for content, says in (
        (b"SQLite format 3\0" + b"\0" * 5000, "no backup of Ketaclinic"),
        (b"ketaclinic-backup 2\n" + b" " * 5000, "does not know"),
        (sealed.read_bytes() + b"x", "longer than it was written"),
        (b"\0" * HEAD_BYTES + sealed.read_bytes()[HEAD_BYTES:], "never finished"),
    ):
        strange.write_bytes(content)
        _refused(_restored(strange, key, tmp_path / "new"), tmp_path / "new", says)
    _refused(_restored(tmp_path / "none.kcbackup", key, tmp_path / "new"), tmp_path / "new", "cannot be read")


def test_another_key_opens_nothing(sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(new_pair(read_head(sealed).installation, datetime(2026, 11, 23, tzinfo=UTC)).text)
    _refused(_restored(sealed, other, tmp_path / "new"), tmp_path / "new", "this key does not open it")
    other.write_text("# no key\n")
    _refused(_restored(sealed, other, tmp_path / "new"), tmp_path / "new", "no private key of age")
    _refused(_restored(sealed, tmp_path / "none", tmp_path / "new"), tmp_path / "new", "key file cannot be read")


def test_another_installation_only_on_purpose(sealed: Path, key: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.key"
    foreign.write_text(re.sub(r"installation: \w+", "installation: 0123456789", key.read_text()))
    _refused(_restored(sealed, foreign, tmp_path / "new"), tmp_path / "new", "another installation")
    assert _restored(sealed, foreign, tmp_path / "new", "--adopt").returncode == 0
    assert (tmp_path / "new/installation-id").read_text() == read_head(sealed).installation


def test_a_clinic_that_is_there_is_not_written_over(demo: Path, sealed: Path, key: Path) -> None:
    before = (demo / "ketaclinic.sqlite3").read_bytes()
    done = _restored(sealed, key, demo)
    assert done.returncode == 1 and "there is a clinic already" in done.stderr
    assert (demo / "ketaclinic.sqlite3").read_bytes() == before


def test_a_newer_version_is_refused_and_an_older_one_brought_up_to_date(
    demo: Path, public: str, key: Path, tmp_path: Path
) -> None:
    database = sqlite3.connect(demo / "ketaclinic.sqlite3")
    database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('record', '9999_of_tomorrow', '2030')")
    database.commit()
    assert ketaclinic("backup", "--recipient", public, "--to", str(tmp_path / "newer.kcbackup")).returncode == 0
    _refused(_restored(tmp_path / "newer.kcbackup", key, tmp_path / "new"), tmp_path / "new", "newer than this one")

    database.execute("DELETE FROM django_migrations WHERE name = '9999_of_tomorrow'")
    database.execute("DELETE FROM django_migrations WHERE app = 'treatment' AND name = '0003_written_on_paper'")
    database.execute("DROP TABLE treatment_writtenonpaper")
    database.commit()
    database.close()
    assert ketaclinic("backup", "--recipient", public, "--to", str(tmp_path / "older.kcbackup")).returncode == 0
    done = _restored(tmp_path / "older.kcbackup", key, tmp_path / "new", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["migrated"] == 1
    assert "treatment_writtenonpaper" in all_rows(tmp_path / "new/ketaclinic.sqlite3")


def test_a_backup_needs_somebody_who_can_read_it(demo: Path, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ketaclinic("backup")
    assert refused.returncode == 1 and "KETACLINIC_BACKUP_RECIPIENTS" in refused.stderr
    refused = ketaclinic("backup", "--recipient", "ssh-rsa AAAA")
    assert refused.returncode == 1 and "no age public key" in refused.stderr
    monkeypatch.setenv("KETACLINIC_BACKUP_RECIPIENTS", f" {public} ,{public}")
    assert ketaclinic("backup", "--to", str(demo / "a.kcbackup")).returncode == 0
    again = ketaclinic("backup", "--to", str(demo / "a.kcbackup"))
    assert again.returncode == 1 and "is there already" in again.stderr


def test_keep_the_newest_and_know_how_old_it_is(demo: Path, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        (demo / "backups").mkdir(exist_ok=True)
        (demo / f"backups/ketaclinic-2026010{number}-000000.kcbackup").write_bytes(b"old")
    told = json.loads(ketaclinic("backup", "--recipient", public, "--keep", "2", "--json").stdout)
    assert told["removed"] == 2 and len(list((demo / "backups").glob("*.kcbackup"))) == 2
    database = sqlite3.connect(demo / "ketaclinic.sqlite3")
    database.execute("UPDATE people_clinic SET synthetic = 0")
    database.commit()
    checks = {c["name"]: c for c in json.loads(ketaclinic("check", "--json").stdout)["checks"]}
    assert checks["backup"]["ok"]
    old = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    (demo / "backups/newest.json").write_text(json.dumps({"made_at": old, "file": "x"}))
    checks = {c["name"]: c for c in json.loads(ketaclinic("check", "--json").stdout)["checks"]}
    assert not checks["backup"]["ok"]
    monkeypatch.setenv("KETACLINIC_BACKUP_MAX_HOURS", "31")
    checks = {c["name"]: c for c in json.loads(ketaclinic("check", "--json").stdout)["checks"]}
    assert checks["backup"]["ok"]


def forged(file: Path, key: Path, to: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    """Seal the inside of a backup anew, changed: whoever has the public key can do that."""
    keys = read_key_file(key)
    with unsealed(file, keys.identities, lambda done: None) as stream:
        members = [change(name, data) for name, data in unpacked(stream)]
        stream.read()
    with to.open("wb") as target:
        seal(target, packed(members), [str(keys.identities[0].to_public())], read_head(file), lambda done: None)
    return to


def _fewer_rows(name: str, data: bytes) -> tuple[str, bytes]:
    if name.startswith("rows/people_patient/"):
        return name, gzip.compress(b"\n".join(gzip.decompress(data).split(b"\n")[:-1]))
    return name, data


def _another_name(name: str, data: bytes) -> tuple[str, bytes]:
    if name.startswith("rows/people_patient/"):
        return name, gzip.compress(gzip.decompress(data).replace(b"K-2", b"K-3", 1))
    return name, data


def _another_head(name: str, data: bytes) -> tuple[str, bytes]:
    if name == "manifest.json":
        told = json.loads(data)
        told["audit"][0][1] += 1
        return name, json.dumps(told).encode()
    return name, data


def _no_manifest(name: str, data: bytes) -> tuple[str, bytes]:
    return ("other.json" if name == "manifest.json" else name), data


def _another_file(name: str, data: bytes) -> tuple[str, bytes]:
    return name, b"other" if name.startswith("files/") else data


def _outside(name: str, data: bytes) -> tuple[str, bytes]:
    return ("files/../../escaped/000001" if name.startswith("files/") else name), data


def _other_database(name: str, data: bytes) -> tuple[str, bytes]:
    return name, data.replace(b'"database": "sqlite"', b'"database": "postgresql"') if name == "about.json" else data


def _broken_key(name: str, data: bytes) -> tuple[str, bytes]:
    if name.startswith("rows/people_staff/"):
        return name, gzip.compress(gzip.decompress(data).split(b"\n")[0])
    return name, data


FORGED = {
    "a row is missing": (_fewer_rows, "not sound"),
    "a value differs": (_another_name, "people_patient: rows differ"),
    "the audit log ends elsewhere": (_another_head, "the audit log does not end where it ended"),
    "no manifest": (_no_manifest, "it has no manifest"),
    "a file differs": (_another_file, "a file differs"),
    "a file that would leave the folder": (_outside, "would leave the data folder"),
    "of another database": (_other_database, "made from postgresql, and the target is sqlite"),
    "rows that point nowhere": (_broken_key, "not sound"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_well_sealed_lie_is_refused_and_leaves_nothing(sealed: Path, key: Path, tmp_path: Path, name: str) -> None:
    change, says = FORGED[name]
    lie = forged(sealed, key, tmp_path / "lie.kcbackup", change)
    _refused(_restored(lie, key, tmp_path / "new"), tmp_path / "new", says)
    assert not (tmp_path / "escaped").exists()


# ---- under load, and killed ----------------------------------------------------------------------------------------


class Writer:
    """Writes pairs in one transaction each, as fast as it can: a moment that splits a pair is no moment."""

    def __init__(self, file: Path) -> None:
        self.file, self.stop, self.pairs, self.slowest = file, threading.Event(), 0, 0.0
        self.thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        database = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE IF NOT EXISTS load_left (n INTEGER PRIMARY KEY, said TEXT)")
        database.execute("CREATE TABLE IF NOT EXISTS load_right (n INTEGER PRIMARY KEY, said TEXT)")
        while not self.stop.is_set():
            began = time.monotonic()
            database.execute("BEGIN IMMEDIATE")
            for side in ("left", "right"):
                database.execute(f"INSERT INTO load_{side} (said) VALUES (?)", ("x" * 500,))
            database.execute("COMMIT")
            self.pairs += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        database.close()

    def __enter__(self) -> Writer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


def test_a_backup_under_write_load_is_one_moment_and_holds_nobody_up(
    demo: Path, public: str, key: Path, tmp_path: Path
) -> None:
    with Writer(demo / "ketaclinic.sqlite3") as writer:
        while writer.pairs < 50:
            time.sleep(0.01)
        before = writer.pairs
        assert ketaclinic("backup", "--recipient", public, "--to", str(tmp_path / "b.kcbackup")).returncode == 0
        during = writer.pairs - before
    assert during > 20 and writer.slowest < 5
    assert _restored(tmp_path / "b.kcbackup", key, tmp_path / "new").returncode == 0
    rows = all_rows(tmp_path / "new/ketaclinic.sqlite3")
    assert rows["load_left"] == rows["load_right"] and before <= len(rows["load_left"]) < writer.pairs


def _killed(command: list[str], after: float) -> int:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait()


def _killed_writing(command: list[str], folder: Path, after: float) -> bool:
    """Kill a backup so long after it began its file; return whether it was still at it."""
    left = set(folder.glob("*.part"))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not set(folder.glob("*.part")) - left:
        time.sleep(0.001)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_a_killed_backup_leaves_no_file_that_looks_whole(demo: Path, public: str) -> None:
    with Writer(demo / "ketaclinic.sqlite3") as writer:
        while writer.pairs < 3000:
            time.sleep(0.01)
    kills = 0
    for number in range(6):
        kills += _killed_writing([KETACLINIC, "backup", "--recipient", public], demo / "backups", 0.02 * number)
    for made in (demo / "backups").glob("*.kcbackup"):
        read_head(made)
    assert kills > 0
    time.sleep(1)  # backups are named by the second, and the last one may have been made just now
    assert ketaclinic("backup", "--recipient", public).returncode == 0
    assert list((demo / "backups").glob("*.part")) == []


def test_a_killed_restore_leaves_no_clinic_and_the_next_one_succeeds(sealed: Path, key: Path, tmp_path: Path) -> None:
    new, chance = tmp_path / "new", random.Random(7)
    command = [KETACLINIC, "restore", str(sealed), "--identity", str(key), "--into", str(new)]
    kills = 0
    for _ in range(6):
        code = _killed(command, chance.uniform(0.2, 1.2))
        kills += code == -signal.SIGKILL
        if (new / "ketaclinic.sqlite3").exists():  # the last step: killed after it, the clinic is there and whole
            break
        assert code != 0
    assert kills > 0
    if not (new / "ketaclinic.sqlite3").exists():
        assert _restored(sealed, key, new).returncode == 0
        assert not list(new.glob("restoring-*"))
    assert all_rows(new / "ketaclinic.sqlite3")["people_patient"]


# ---- what a restored clinic says -----------------------------------------------------------------------------------


def test_the_anchor_tells_how_much_is_lost_at_least(sealed: Path, key: Path, tmp_path: Path) -> None:
    made = datetime.fromisoformat(read_head(sealed).made_at)
    folder = tmp_path / "anchor"
    folder.mkdir()
    (folder / "clinic-1.head").write_text(f"1 999999 {'0' * 64} {made + timedelta(minutes=12):%Y-%m-%dT%H:%M:%SZ}\n")
    (folder / "installation.head").write_text(f"- 999 {'0' * 64} {made:%Y-%m-%dT%H:%M:%SZ} begins\nnoise\n1 x y z\n")
    told = json.loads(_restored(sealed, key, tmp_path / "new", "--anchor", str(folder), "--json").stdout)
    assert told["audit_entries_lost"] > 900_000
    said = _restored(sealed, key, tmp_path / "other").stdout
    assert "Missing: everything entered between" in said and "All sign-ins are ended" in said
    (tmp_path / "empty").mkdir()
    nothing = _restored(sealed, key, tmp_path / "third", "--anchor", str(tmp_path / "empty"))
    _refused(nothing, tmp_path / "third", "the anchor holds no line")


def test_an_old_anchor_does_not_say_that_nothing_is_missing(
    built: Path, sealed: Path, key: Path, tmp_path: Path
) -> None:
    """Heads that were printed before the backup prove nothing of what came after it: all until now may be missing."""
    printed = tmp_path / "printed.txt"
    seq, head = _newest(built)
    made = datetime.fromisoformat(read_head(sealed).made_at)
    printed.write_text(f"1 {seq} {head} {made - timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}\n")
    begun = datetime.now(UTC)
    told = json.loads(_restored(sealed, key, tmp_path / "new", "--anchor", str(printed), "--json").stdout)
    assert told["audit_entries_lost"] == 0
    assert datetime.fromisoformat(told["missing_since"]) == made
    assert datetime.fromisoformat(told["missing_until"]) >= begun


def test_a_log_that_is_not_the_anchored_one_is_refused(built: Path, sealed: Path, key: Path, tmp_path: Path) -> None:
    folder = tmp_path / "anchor"
    folder.mkdir()
    seq, head = _newest(built)
    for at, own in ((seq, head), (1, "0" * 64)):
        (folder / "clinic-1.history").write_text(f"1 {at} {own} 2026-11-23T10:00:00Z begins\n")
        (folder / "clinic-1.head").write_text(f"1 {seq} {head} 2026-11-23T10:00:00Z\n")
        done = _restored(sealed, key, tmp_path / f"new-{at}", "--anchor", str(folder))
        if own == head:
            assert done.returncode == 0, done.stderr
        else:
            _refused(done, tmp_path / f"new-{at}", "the log was rewritten from entry 1 on: the anchor saw another")


def _newest(data: Path) -> tuple[int, str]:
    """Return number and hash of the newest entry of the clinic's audit log."""
    database = sqlite3.connect(f"file:{data / 'ketaclinic.sqlite3'}?mode=ro", uri=True)
    query = "SELECT seq, hash FROM audit_auditentry WHERE clinic_id = 1 ORDER BY seq DESC LIMIT 1"
    seq, head = database.execute(query).fetchone()
    database.close()
    return seq, head


def test_sign_ins_are_ended(demo: Path, public: str, key: Path, tmp_path: Path) -> None:
    database = sqlite3.connect(demo / "ketaclinic.sqlite3")
    database.execute("INSERT INTO django_session VALUES ('abc', 'x', '2099-01-01')")
    database.commit()
    database.close()
    assert ketaclinic("backup", "--recipient", public, "--to", str(tmp_path / "b.kcbackup")).returncode == 0
    assert _restored(tmp_path / "b.kcbackup", key, tmp_path / "new").returncode == 0
    rows = all_rows(tmp_path / "new/ketaclinic.sqlite3")
    assert rows["django_session"] == set() and len(rows["continuity_restoration"]) == 1


def test_a_key_is_printed_once_where_no_file_is_named(demo: Path) -> None:
    done = ketaclinic("backup", "keygen")
    assert done.returncode == 0 and "AGE-SECRET-KEY-1" in done.stdout and "AGE-SECRET" not in done.stderr
    assert [p for p in demo.rglob("*") if p.is_file() and b"AGE-SECRET" in p.read_bytes()] == []
    file = demo / "k"
    assert ketaclinic("backup", "keygen", "--to", str(file)).returncode == 0
    assert ketaclinic("backup", "keygen", "--to", str(file)).returncode == 1


def test_one_backup_after_the_other(demo: Path, public: str) -> None:
    process = subprocess.Popen(
        [KETACLINIC, "backup", "--recipient", public, "--every", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while not list((demo / "backups").glob("*.kcbackup")) and time.monotonic() < end:
        time.sleep(0.2)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert len(list((demo / "backups").glob("*.kcbackup"))) == 1


def test_a_backup_goes_into_no_folder_that_is_not_there(built: Path, tmp_path: Path) -> None:
    """Where the other disk is not mounted, backups would pile up on the server's own."""
    place = tmp_path / "mnt" / "elsewhere"
    for to in (place, place / "x.kcbackup"):
        refused = _on(built, "backup", "--recipient", "age1xxx", "--to", str(to))
        assert refused.returncode == 1 and f"there is no folder {place}: make it, or mount" in refused.stderr
    assert not place.exists()


def test_a_backup_within_the_data_folder_holds_no_backup(built: Path, key: Path, tmp_path: Path) -> None:
    data = tmp_path / "var"
    shutil.copytree(built, data)
    (data / "archive").mkdir()
    public = re.search(r"# public key: (age1\w+)", key.read_text())
    assert public is not None
    files = []
    for _ in range(2):
        made = _on(data, "backup", "--recipient", public[1], "--to", str(data / "archive"), "--json")
        assert made.returncode == 0, made.stderr
        files.append(json.loads(made.stdout)["files"])
        time.sleep(1.1)  # its name goes by the second
    assert files[0] == files[1] and len(list((data / "archive").iterdir())) == 2
