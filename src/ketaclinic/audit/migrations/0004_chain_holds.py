"""From here on every entry has its place in a chain, and the database itself refuses to change one."""

from django.db import migrations, models

from ketaclinic.audit.walls import DOWN, UP


def _run(statements):
    def put(apps, schema_editor):
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return put


class Migration(migrations.Migration):

    dependencies = [("audit", "0003_old_entries_into_the_chain")]

    operations = [
        migrations.AlterField("auditentry", "seq", models.BigIntegerField()),
        migrations.AddConstraint(
            "auditentry",
            models.UniqueConstraint(fields=("clinic_id", "seq"), name="audit_one_entry_per_number"),
        ),
        migrations.AddConstraint(
            "auditentry",
            models.UniqueConstraint(
                fields=("seq",),
                condition=models.Q(("clinic_id__isnull", True)),
                name="audit_one_entry_per_number_of_none",
            ),
        ),
        migrations.RunPython(_run(UP), _run(DOWN)),
    ]
