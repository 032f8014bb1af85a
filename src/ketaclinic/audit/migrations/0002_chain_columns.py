"""Room for the chain: number, hashes, and where an entry came from. Old rows are filled in by the next migration.

The columns are added by hand: on SQLite Django would build the table anew for each of them.
"""

from django.db import migrations, models

TEXTS = {
    "actor_kind": 10,
    "outcome": 10,
    "fields": 400,
    "route": 80,
    "from_address": 45,
    "device": 16,
    "request_id": 16,
    "previous_hash": 64,
    "hash": 64,
}
MOMENT = {"sqlite": "datetime", "postgresql": "timestamp with time zone"}
_KINDS = [
    ("staff", "staff"),
    ("patient", "patient"),
    ("caregiver", "caregiver"),
    ("device", "device"),
    ("system", "Ketaclinic itself"),
    ("unknown", "nobody who is known"),
]
_OUTCOMES = [("done", "done"), ("refused", "refused"), ("not_found", "not found"), ("failed", "failed")]


def _columns(schema_editor):
    yield "seq", "bigint NULL"
    yield "written_late_at", f"{MOMENT[schema_editor.connection.vendor]} NULL"
    for name, length in TEXTS.items():
        yield name, f"varchar({length}) NOT NULL DEFAULT ''"


def add(apps, schema_editor):
    for name, kind in _columns(schema_editor):
        schema_editor.execute(f"ALTER TABLE audit_auditentry ADD COLUMN {name} {kind}")


def drop(apps, schema_editor):
    for name, _kind in _columns(schema_editor):
        schema_editor.execute(f"ALTER TABLE audit_auditentry DROP COLUMN {name}")


def _text(length, **more):
    return models.CharField(max_length=length, **more)


class Migration(migrations.Migration):

    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add, drop)],
            state_operations=[
                migrations.AddField("auditentry", "seq", models.BigIntegerField(null=True)),
                migrations.AddField("auditentry", "written_late_at", models.DateTimeField(null=True)),
                migrations.AddField("auditentry", "actor_kind", _text(10, choices=_KINDS)),
                migrations.AddField("auditentry", "outcome", _text(10, choices=_OUTCOMES)),
                migrations.AddField("auditentry", "fields", _text(400, blank=True)),
                migrations.AddField("auditentry", "route", _text(80, blank=True)),
                migrations.AddField("auditentry", "from_address", _text(45, blank=True)),
                migrations.AddField("auditentry", "device", _text(16, blank=True)),
                migrations.AddField("auditentry", "request_id", _text(16, blank=True)),
                migrations.AddField("auditentry", "previous_hash", _text(64, blank=True)),
                migrations.AddField("auditentry", "hash", _text(64)),
            ],
        )
    ]
