"""Raw SQL under the server's role, in a real cluster: whatever it tries, it finds one clinic or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, RaiseException

from ketaclinic.config.wall.policies import House, Model, clinic_column
from tests.support.figures import write_figures
from tests.support.walled import MINE, THEIRS, Walled, insert, keys, policies, row_of, walled

Seals = dict[str, str]
WHOLE = "ok      second wall: every table answers for one clinic"
SETTINGS = {"clinic": "ketaclinic.clinic", "user": "ketaclinic.user", "opened": "ketaclinic.opened"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walled]:
    with walled(tmp_path_factory.mktemp("wall") / "var") as found:
        found.fill()
        yield found


@pytest.fixture(scope="module")
def seals(house: Walled) -> Seals:
    return house.as_server("sealed_for")


@pytest.fixture
def server(house: Walled) -> Iterator[Any]:
    with psycopg.connect(house.server, autocommit=True) as connection:
        yield connection


def say(connection: Any, **said: str) -> None:
    for name, value in said.items():
        connection.execute("SELECT set_config(%s, %s, false)", [SETTINGS[name], value])


def counted(connection: Any, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


KEYS = keys()
TABLES = [policy.table for policy in policies()]


def test_each_clinic_finds_its_own_row_in_every_table(server: Any, seals: Seals) -> None:
    for clinic in (MINE, THEIRS):
        say(server, clinic=seals[f"clinic{clinic}"])
        found = {t: [row[0] for row in server.execute(f'SELECT {KEYS[t]} FROM "{t}"').fetchall()] for t in TABLES}
        assert found == {table: [clinic] for table in TABLES}


def test_nothing_said_finds_nothing(server: Any) -> None:
    assert {table: counted(server, table) for table in TABLES} == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("said", ["2", "2:", "2:" + "0" * 64, "1", ":", "x:y", "2:{clinic1}", "2:{user2}"])
def test_a_clinic_that_is_not_rightly_sealed_is_no_clinic(server: Any, seals: Seals, said: str) -> None:
    stolen = {name: value.partition(":")[2] for name, value in seals.items()}
    say(server, clinic=said.format(**stolen), user=said.format(**stolen) if "user" not in said else "")
    assert {table: counted(server, table) for table in TABLES} == dict.fromkeys(TABLES, 0)


def test_a_person_finds_themselves_and_their_clinic_before_it_is_known(server: Any, seals: Seals) -> None:
    say(server, user=seals["user2"])
    seen = {table for table in TABLES if counted(server, table)}
    assert {"people_user", "people_staff", "people_clinic"} <= seen
    assert "people_patient" not in seen and "audit_auditentry" not in seen
    assert server.execute("SELECT id FROM people_user").fetchall() == [(2,)]
    assert server.execute("SELECT clinic_id FROM people_staff").fetchall() == [(2,)]
    moved = server.execute("UPDATE people_staff SET clinic_id = 1").rowcount
    assert moved == 0, "somebody whose clinic is not known yet moved into another"


def test_an_opened_table_is_open_alone(server: Any, seals: Seals) -> None:
    say(server, opened=seals["opened"])
    assert counted(server, "people_user") == 2
    assert {table: counted(server, table) for table in TABLES if "user" not in table} == {
        table: 0 for table in TABLES if "user" not in table
    }


def _refused(connection: Any, act: Any, *values: Any) -> bool:
    """Return whether PostgreSQL refused; 0 rows changed counts as refused."""
    try:
        return bool(connection.execute(act, *values).rowcount == 0)
    except (InsufficientPrivilege, RaiseException):  # by its policy, its rights, or the trigger of the audit log
        return True


@pytest.mark.parametrize("said", ["", "clinic1"])
def test_no_row_of_another_clinic_is_changed_or_deleted(server: Any, house: Walled, seals: Seals, said: str) -> None:
    say(server, clinic=seals.get(said, ""))
    for table in TABLES:
        key = KEYS[table]
        assert _refused(server, f'UPDATE "{table}" SET {key} = {key} WHERE {key} = 2'), f"update {table}"
        assert _refused(server, f'DELETE FROM "{table}" WHERE {key} = 2'), f"delete {table}"
        assert _refused(server, f'SELECT {key} FROM "{table}" WHERE {key} = 2 FOR UPDATE'), f"lock {table}"
    with psycopg.connect(house.superuser) as everything:
        assert {table: counted(everything, table) for table in TABLES} == dict.fromkeys(TABLES, 2)
    write_figures(
        "second-wall" if said else "second-wall-unsaid",
        {"tables": len(TABLES), "statements": 3 * len(TABLES), "through": 0},
    )


def _with_a_clinic() -> list[Model]:
    return [model for model in House().behind if clinic_column(model)]


def test_no_row_is_written_into_another_clinic(server: Any, seals: Seals) -> None:
    for said in ("", seals["clinic1"]):
        say(server, clinic=said)
        for model in _with_a_clinic():
            row = row_of(model, THEIRS) | {model._meta.pk.column: 77}
            with pytest.raises(InsufficientPrivilege, match="row-level security"):
                insert(server, model._meta.db_table, row)


def test_no_row_moves_into_another_clinic(server: Any, seals: Seals) -> None:
    say(server, clinic=seals["clinic1"])
    for model in _with_a_clinic():
        with pytest.raises(InsufficientPrivilege):
            server.execute(f'UPDATE "{model._meta.db_table}" SET clinic_id = 2 WHERE {model._meta.pk.column} = 1')


def test_no_row_of_ones_own_names_anything_of_another_clinic(server: Any, seals: Seals) -> None:
    """The hole that hits medical records most: another patient's number in the body of a request."""
    say(server, clinic=seals["clinic1"])
    tried = 0
    for model in _with_a_clinic():
        keys = [f for f in model._meta.concrete_fields if f.is_relation and f.related_model in _with_a_clinic()]
        for key in keys:
            row = row_of(model, MINE, **{key.column: THEIRS}) | {model._meta.pk.column: 77, key.column: THEIRS}
            with pytest.raises(InsufficientPrivilege, match="row-level security"):
                insert(server, model._meta.db_table, row)
            tried += 1
    assert tried > 40
    write_figures("second-wall-names", {"refused": tried})


def test_what_is_only_added_to_is_not_changed_by_its_own_clinic(server: Any, seals: Seals) -> None:
    say(server, clinic=seals["clinic1"])
    kept = [p.table for p in policies() if p.change == "false"]
    assert "audit_auditentry" in kept
    for table in kept:
        key = KEYS[table]
        for act in (f'UPDATE "{table}" SET {key} = 1', f'DELETE FROM "{table}"', f'TRUNCATE "{table}"'):
            with pytest.raises((InsufficientPrivilege, RaiseException)):
                server.execute(act)
        assert server.execute(f'SELECT {key} FROM "{table}" FOR UPDATE').fetchall() == [(1,)]


WAYS_OUT = [
    "SET row_security = off; SELECT * FROM people_patient",
    "SET ROLE kc_owner",
    "SET ROLE ketaclinic",
    "SET SESSION AUTHORIZATION kc_owner",
    "ALTER TABLE people_patient DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE people_patient NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY wall_read ON people_patient",
    "CREATE POLICY mine ON people_patient USING (true)",
    "ALTER ROLE kc_server BYPASSRLS",
    "ALTER ROLE kc_server SUPERUSER",
    "SELECT * FROM ketaclinic_wall",
    "UPDATE ketaclinic_wall SET inner_pad = ''",
    "CREATE FUNCTION public.ketaclinic_clinic2() RETURNS bigint LANGUAGE sql AS 'SELECT 2::bigint'",
    "CREATE OR REPLACE FUNCTION public.ketaclinic_clinic() RETURNS bigint LANGUAGE sql AS 'SELECT 2::bigint'",
    "TRUNCATE people_patient",
    "DROP TABLE people_patient",
    "COPY people_patient TO '/tmp/patients.csv'",
    "COPY people_patient FROM PROGRAM 'echo'",
    "INSERT INTO people_clinic (id, name) VALUES (3, 'x')",
    "DELETE FROM people_user",
]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_leads_around_the_wall(server: Any, way: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        server.execute(way)
    assert refused.value.sqlstate in ("42501", "0A000"), refused.value


@pytest.mark.parametrize(
    "way",
    ["RESET ROLE", "SET ketaclinic.owner = 'on'", "DISCARD ALL", "SET search_path = pg_temp", "BEGIN; SAVEPOINT s"],
)
def test_no_setting_opens_it(server: Any, way: str) -> None:
    server.execute(way)
    assert server.execute("SELECT count(*) FROM public.people_patient").fetchone() == (0,)
    assert server.execute("SELECT count(*) FROM public.people_user").fetchone() == (0,)
    with server.cursor().copy("COPY public.people_patient TO STDOUT") as rows:
        assert list(rows) == []


def test_a_function_of_ones_own_sees_no_more(server: Any, seals: Seals) -> None:
    """A cheap function in a condition is asked before the policy, unless the policy is a barrier to it."""
    say(server, clinic=seals["clinic1"])
    server.execute(
        "CREATE FUNCTION pg_temp.peep(n bigint, name text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS "
        "$$ BEGIN IF n = 2 THEN RAISE 'saw %', name; END IF; RETURN true; END $$"
    )
    assert server.execute("SELECT count(*) FROM people_patient WHERE pg_temp.peep(id, family_name)").fetchone() == (1,)


def test_even_the_owner_sees_nothing_unless_it_says_that_it_acts(house: Walled) -> None:
    with psycopg.connect(house.owner) as owner:
        assert counted(owner, "people_patient") == 0
        owner.execute("SET ketaclinic.owner = 'on'")
        assert counted(owner, "people_patient") == 2


def test_one_connection_lent_in_turn_answers_for_nobody_between(house: Walled) -> None:
    found = house.as_server("two_people_in_turn", KETACLINIC_POOL_MAX="1")
    assert found == {"said": [[200, ""], [200, ""], [302, ""], [200, ""], [302, ""], [500, ""]], "size": 1}


def test_a_broken_transaction_leaves_nothing_open(house: Walled) -> None:
    found = house.as_server("a_transaction_that_breaks", KETACLINIC_POOL_MAX="1")
    assert found["opened"] == 2 and found["after"] == 0
    assert found["patients"] == found["reconnected"] == 1
    assert found["lent"] == "" and found["standing"] is None


# ---- keeping it ----------------------------------------------------------------------------------------------------


def test_making_the_roles_again_changes_nothing(house: Walled) -> None:
    again = house.command("database", "roles")
    assert again.returncode == 0 and "was there" in again.stdout
    assert "is up to date" in house.command("database", "update").stdout


def test_the_check_finds_the_wall_whole_or_says_what_is_wrong(house: Walled) -> None:
    assert WHOLE in house.command("check").stdout
    bare = {"DATABASE_URL": house.owner, "KETACLINIC_OWNER_URL": ""}
    assert "works, but not protected: the server's role owns the tables" in house.command("check", **bare).stdout
    bare["DATABASE_URL"] = house.superuser
    assert "works, but not protected: the server's role is a superuser" in house.command("check", **bare).stdout
    another = house.command("check", KETACLINIC_SECRET_KEY="k" * 50)
    assert another.returncode == 1 and "built with another secret key" in another.stdout
    crowded = house.command("check", KETACLINIC_WORKERS="32", KETACLINIC_POOL_MAX="4")
    assert "32 workers take at most 128 connections: more than there are" in crowded.stdout


def test_a_wall_that_was_damaged_is_seen_and_mended(house: Walled) -> None:
    with psycopg.connect(house.superuser, autocommit=True) as everything:
        everything.execute("DROP POLICY wall_read ON people_patient")
        everything.execute("ALTER ROLE kc_server BYPASSRLS")
        assert "no policy on people_patient" in house.command("check").stdout
        assert "may pass by row-level security" in house.command("check").stdout
        refused = house.command("database", "roles")
        assert refused.returncode == 1 and "may bypass row-level security" in refused.stderr
        everything.execute("ALTER ROLE kc_server NOBYPASSRLS")
    assert house.command("database", "roles").returncode == 0
    assert WHOLE in house.command("check").stdout


def test_a_migration_takes_the_policies_down_and_puts_them_up(house: Walled) -> None:
    """Policies hold the columns they name; without stepping aside a migration could not change one."""
    for name in ("zero", ""):
        done = house.command("database", "update") if not name else _migrate(house, name)
        assert done.returncode == 0, done.stderr
    assert WHOLE in house.command("check").stdout


def _migrate(house: Walled, to: str) -> Any:
    import subprocess
    import sys

    from tests.support.tree import ROOT

    with psycopg.connect(house.superuser) as everything:
        everything.execute("SET session_replication_role = replica")
        everything.execute("DELETE FROM fhir_fhirimport")
    command = [sys.executable, "manage.py", "migrate", "fhir", to, "--verbosity", "0"]
    return subprocess.run(command, cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"DATABASE_URL": "sqlite:///none", "KETACLINIC_OWNER_URL": ""}, "roles need PostgreSQL"),
        ({"KETACLINIC_OWNER_URL": ""}, "roles need PostgreSQL"),
        ({"DATABASE_URL": "{owner}"}, "name the same role"),
    ],
)
def test_roles_are_refused_where_they_make_no_sense(
    house: Walled, tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    told = {name: value.format(owner=house.owner) for name, value in settings.items()}
    refused = house.command("database", "roles", KETACLINIC_DATA=str(tmp_path), **told)
    assert refused.returncode == 1 and says in refused.stderr


def test_the_server_cannot_change_the_tables(house: Walled) -> None:
    with psycopg.connect(house.superuser, autocommit=True) as everything:
        everything.execute("DELETE FROM django_migrations WHERE app = 'fhir'")
        refused = house.command("database", "update", KETACLINIC_OWNER_URL="")
        assert refused.returncode == 1 and "only the owner of the tables" in refused.stderr
        everything.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('fhir', '0001_initial', now())")
    ready = house.command("database", "update", KETACLINIC_OWNER_URL="")
    assert ready.returncode == 0 and "is up to date" in ready.stdout
