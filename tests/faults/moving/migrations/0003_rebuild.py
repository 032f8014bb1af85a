from django.db import migrations, models

from tests.faults.moving.progress import reached


class Migration(migrations.Migration):
    dependencies = [("moving", "0002_move")]
    operations = [
        migrations.RunPython(lambda apps, editor: reached("rebuild 0"), migrations.RunPython.noop),
        migrations.AddField("Reading", "note", models.CharField(max_length=40, default="", db_index=True)),
        migrations.AlterField("Reading", "kind", models.CharField(max_length=20, db_index=True)),
        migrations.RunPython(lambda apps, editor: reached("rebuild 1"), migrations.RunPython.noop),
        migrations.AlterField("Reading", "kind", models.CharField(max_length=20)),
    ]
