from django.db import migrations

from tests.faults.moving.progress import chunks


def move(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM screening_vitalsign WHERE kind = 'heart_rate'")
        first = cursor.fetchone()[0] or 1
        for start, end in chunks("move", first):
            cursor.execute(
                "INSERT INTO moving_reading (id, kind, said) SELECT id, kind, CAST(value AS TEXT) || ' ' || unit "
                "FROM screening_vitalsign WHERE id BETWEEN %s AND %s",
                [start, end],
            )


class Migration(migrations.Migration):
    dependencies = [("moving", "0001_initial")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
