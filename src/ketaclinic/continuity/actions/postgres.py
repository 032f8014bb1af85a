"""PostgreSQL: ``pg_dump`` and ``pg_restore`` of PostgreSQL itself, with counts and hashes of the same snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ketaclinic.config.wall.keeping import tables_with_hidden_rows
from ketaclinic.continuity.actions.packing import Member, numbered
from ketaclinic.continuity.actions.sealed import CHUNK_BYTES
from ketaclinic.continuity.actions.tally import UNKEPT, Tally
from ketacore.evidence import Refusal

_SETTINGS = ("TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "extra_float_digits = 1", "bytea_output = 'hex'")
"""What the text of a row depends on."""
_TABLES = (
    "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
    "JOIN information_schema.tables USING (table_schema, table_name) "
    "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' GROUP BY table_name ORDER BY table_name"
)
_TALLY = sql.SQL(
    "SELECT count(*), coalesce(sum(('x' || substr(h, 1, 15))::bit(60)::bigint::numeric), 0), "
    "coalesce(sum(('x' || substr(h, 16, 15))::bit(60)::bigint::numeric), 0) "
    "FROM (SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') AS h FROM {} t) hashed"
)
_NUMBERS = 1 << 128
_REACHING, _READING, _FILLING = "Reaching PostgreSQL", "Reading the database", "Filling the database"


def _address(database: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the database of the settings is found, with its options: the owner must say that the owner acts."""
    told = {
        "host": database.get("HOST"),
        "port": database.get("PORT"),
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "dbname": database["NAME"],
        **database.get("OPTIONS", {}),
    }
    return {name: value for name, value in told.items() if value}


def _client(database: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return address and environment for a client program; a password stands in no list of processes."""
    address = _address(database)
    password = address.pop("password", None)
    kept = {**os.environ, "PGPASSWORD": str(password)} if password else dict(os.environ)
    return f"--dbname={make_conninfo(**address)}", kept


_LOOK_AT = "Look at the address that was given: --into, or KETACLINIC_OWNER_URL and DATABASE_URL."


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Turn what PostgreSQL refuses into a ``Refusal``: its first line, which quotes no row."""
    try:
        yield
    except psycopg.Error as error:
        because = error.diag.message_primary or str(error).partition("\n")[0] or type(error).__name__
        raise Refusal(what, [because], _LOOK_AT) from None


def connect(database: Mapping[str, Any]) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection of its own to the database of the settings; raises ``Refusal`` where there is none."""
    with _in_words(_REACHING):
        return psycopg.connect(**_address(database))


def _program(name: str, server_version: int) -> str:
    """Return a client program; raises ``Refusal`` where it is missing or older than the server."""
    found = shutil.which(name)
    if found is None:
        raise Refusal(
            _REACHING,
            [f"{name} is not installed"],
            "Install PostgreSQL's client programs (Debian: postgresql-client).",
        )
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = int(told.split()[2].split(".")[0])
    if version < server_version // 10_000:
        raise Refusal(
            _REACHING,
            [f"{name} is of version {version}, the server of version {server_version // 10_000}"],
            f"Install the client programs of version {server_version // 10_000}.",
        )
    return found


class PostgresSnapshot:
    """One moment of a PostgreSQL database, shared with ``pg_dump``."""

    vendor = "postgresql"

    def __init__(self, database: Mapping[str, Any]) -> None:
        self._database = database
        self._connection = connect(database)
        self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for setting in _SETTINGS:
            self._connection.execute(f"SET LOCAL {setting}")
        self.tables = {name: tuple(columns) for name, columns in self.rows(_TABLES)}
        self.tallies = {name: Tally() for name in self.tables if name not in UNKEPT}

    def _check_all_seen(self) -> None:
        """Raise ``Refusal`` where rows would be left out: forced row-level security holds even the owner of a table."""
        hidden = tables_with_hidden_rows(self._connection)
        if hidden:
            raise Refusal(
                _READING,
                [f"row-level security hides rows of {', '.join(hidden[:3])} from this role"],
                "Name the owner of the tables in KETACLINIC_OWNER_URL.",
            )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds at this moment."""
        with _in_words(_READING):
            return self._connection.execute(query).fetchall()

    def members(self) -> Iterator[Member]:
        """Yield the dump in pieces, after the tallies were filled from the same snapshot."""
        self.tally_all()
        yield from numbered("database.pgdump", self._dumped())

    def tally_all(self) -> None:
        """Fill the tallies: the database hashes, nothing travels."""
        self._check_all_seen()
        for table, tally in self.tallies.items():
            with _in_words(_READING):
                found = self._connection.execute(_TALLY.format(sql.Identifier(table))).fetchone()
            assert found is not None
            tally.rows, tally.total = found[0], int(found[1]) % _NUMBERS * _NUMBERS + int(found[2]) % _NUMBERS

    def _dumped(self) -> Iterator[bytes]:
        program = _program("pg_dump", self._connection.info.server_version)
        snapshot = self.rows("SELECT pg_export_snapshot()")[0][0]
        unkept = [f"--exclude-table-data={table}" for table in UNKEPT]
        address, environment = _client(self._database)
        whole = ["--format=custom", f"--snapshot={snapshot}", "--enable-row-security", "--no-owner", "--no-password"]
        with subprocess.Popen(
            [program, address, *whole, *unkept], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as dump:
            assert dump.stdout is not None and dump.stderr is not None
            while chunk := dump.stdout.read(CHUNK_BYTES):
                yield chunk
            said = dump.stderr.read().decode(errors="replace")
        _check_ended(dump.returncode, _READING, said)

    def close(self) -> None:
        """Let the moment go."""
        self._connection.close()


_BUILT_ANEW = (" POLICY ", " ROW SECURITY ")
"""Parts of a dump that are left out. Policies name roles that another machine may not have, and hide what was loaded
from who checks it; the second wall is built anew for the roles that are there.
"""


class PostgresLoader:
    """Feeds the dump to ``pg_restore``, which takes it as a whole or not at all."""

    def __init__(self, database: Mapping[str, Any]) -> None:
        self._database = database
        with connect(database) as connection:
            self._program = _program("pg_restore", connection.info.server_version)
        self._wanted = NamedTemporaryFile("w", prefix="ketaclinic-")  # noqa: SIM115  pg_restore reads it until close()
        self._restore: subprocess.Popen[bytes] | None = None

    def take(self, name: str, data: bytes) -> None:
        """Pass one piece on."""
        if self._restore is None:
            self._restore = self._begun(data)
        assert self._restore.stdin is not None
        try:
            self._restore.stdin.write(data)
        except BrokenPipeError:
            self.finish()

    def _begun(self, first: bytes) -> subprocess.Popen[bytes]:
        """Start ``pg_restore`` on what is wanted of the dump, whose first piece holds its table of contents."""
        listed = subprocess.run([self._program, "--list"], input=first, capture_output=True, check=False)
        _check_ended(listed.returncode, _FILLING, listed.stderr.decode(errors="replace"))
        lines = listed.stdout.decode().splitlines(keepends=True)
        self._wanted.writelines(line for line in lines if not any(part in line for part in _BUILT_ANEW))
        self._wanted.flush()
        address, environment = _client(self._database)
        whole = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
        return subprocess.Popen(
            [self._program, address, *whole, f"--use-list={self._wanted.name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def finish(self) -> None:
        """Wait until everything is in; raises ``Refusal`` where PostgreSQL did not take it."""
        if self._restore is None:
            raise Refusal(_FILLING, ["the backup holds no database"], "Use an older backup.")
        _, said = self._restore.communicate()
        _check_ended(self._restore.returncode, _FILLING, said.decode(errors="replace"))

    def close(self) -> None:
        """Break off: without its end PostgreSQL takes nothing of it."""
        self._wanted.close()
        if self._restore is not None and self._restore.poll() is None:
            self._restore.kill()
            self._restore.communicate()


_FUNCTIONS = "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
_UNDER_WAY = "ketaclinic: a restore is under way"
_USUAL = "standard public schema"


def empty_again(database: Mapping[str, Any]) -> None:
    """Take everything out of a database that was empty before this restore filled it."""
    with connect(database) as connection:
        for table, _ in connection.execute(_TABLES).fetchall():
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(table)))
        for (function,) in connection.execute(_FUNCTIONS).fetchall():
            connection.execute(sql.SQL("DROP FUNCTION {} CASCADE").format(sql.SQL(function)))
        _say_of_schema(connection, _USUAL)


def is_empty(database: Mapping[str, Any]) -> bool:
    """Return whether the database holds no table yet; what a killed restore has left is taken out first."""
    with connect(database) as connection:
        said = connection.execute("SELECT obj_description(current_schema()::regnamespace)").fetchone()
        left_over = said is not None and said[0] == _UNDER_WAY
    if left_over:
        empty_again(database)
    with connect(database) as connection:
        return not connection.execute(_TABLES).fetchall()


def mark_under_way(database: Mapping[str, Any], under_way: bool) -> None:
    """Note in the database that what is in it was not checked yet, or take the note away."""
    with connect(database) as connection:
        _say_of_schema(connection, _UNDER_WAY if under_way else _USUAL)


def _say_of_schema(connection: psycopg.Connection[tuple[Any, ...]], words: str) -> None:
    schema = connection.execute("SELECT current_schema()").fetchone()
    assert schema is not None
    connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema[0]), sql.Literal(words)))


def _check_ended(code: int, what: str, said: str) -> None:
    if code:
        errors = [line for line in said.splitlines() if "error:" in line]
        because = errors[0].partition("error:")[2].strip() if errors else f"it ended with code {code}"
        raise Refusal(what, [because], "Nothing was kept.")
