"""Sessions and their presences stand under a hash of the cookie's key. Whoever is signed in stays signed in.

The hash is spelled out here once more: this migration must give the same for ever, whatever later versions do.
"""

import hashlib

from django.db import migrations


def hash_keys(apps, schema_editor):
    alias = schema_editor.connection.alias
    sessions = apps.get_model("sessions", "Session").objects.using(alias)
    presences = apps.get_model("access", "Presence").objects.using(alias)
    for row in list(sessions.all()):
        plain, row.session_key = row.session_key, hashlib.sha256(row.session_key.encode()).hexdigest()[:40]
        row.save(force_insert=True)
        presences.filter(session_key=plain).update(session_key=row.session_key)
        sessions.filter(session_key=plain).delete()


class Migration(migrations.Migration):

    dependencies = [("access", "0001_initial"), ("sessions", "0001_initial")]

    operations = [migrations.RunPython(hash_keys, migrations.RunPython.noop)]
