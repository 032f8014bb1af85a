from django.db import migrations

from tests.faults.moving.progress import chunks


def change(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM moving_reading")
        for start, end in chunks("change", cursor.fetchone()[0] or 1):
            cursor.execute(
                "UPDATE moving_reading SET note = kind || ':' || CAST(id AS TEXT) WHERE id BETWEEN %s AND %s", [start, end]
            )


class Migration(migrations.Migration):
    dependencies = [("moving", "0003_rebuild")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
