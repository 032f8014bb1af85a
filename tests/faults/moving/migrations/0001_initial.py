from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("screening", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("kind", models.CharField(max_length=20)),
                ("said", models.CharField(max_length=80)),
            ],
        )
    ]
