"""Entries written before there was a chain are numbered and hashed in the order in which they were written.

Every value they had stays. The text that is hashed is spelled out here once more: this migration must give the same
hashes for ever, whatever the code of later versions does.
"""

import json
from datetime import UTC, datetime
from hashlib import sha256

from django.db import migrations

from ketaclinic.audit import anchor

ALL = (
    "clinic_id", "at", "written_late_at", "actor_kind", "actor_id", "actor_role", "action", "outcome", "patient_id",
    "object_type", "object_id", "fields", "reason", "route", "from_address", "device", "request_id",
)
CHUNK = 2_000
UPDATE = (
    "UPDATE audit_auditentry SET seq = %s, actor_kind = %s, outcome = %s, previous_hash = %s, hash = %s WHERE id = %s"
)


def _hashed(previous, seq, values):
    values = [str(v.astimezone(UTC).replace(tzinfo=None)) if isinstance(v, datetime) else v for v in values]
    body = json.dumps(["ketaclinic-audit-1", *values], separators=(",", ":"))
    return sha256(f"{previous} {seq} {body}".encode()).hexdigest()


def take_in(apps, schema_editor):
    rows = apps.get_model("audit", "AuditEntry").objects.using(schema_editor.connection.alias)
    newest, last = {}, 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last, filled = chunk[-1].pk, []
        for row in chunk:
            seq, previous = newest.get(row.clinic_id, (0, ""))
            row.actor_kind, row.outcome = "staff", "done"
            own = _hashed(previous, seq + 1, [getattr(row, name) for name in ALL])
            newest[row.clinic_id] = (seq + 1, own)
            filled.append((seq + 1, row.actor_kind, row.outcome, previous, own, row.pk))
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(UPDATE, filled)
    for clinic_id, (seq, own) in newest.items():
        anchor.begin(clinic_id)
        anchor.advance(anchor.Point(clinic_id, seq, own), note="chained by the update")


class Migration(migrations.Migration):

    dependencies = [("audit", "0002_chain_columns")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
