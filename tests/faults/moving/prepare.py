"""Run as a program: the clinic of before the upgrade, with 100,000 vital signs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import django
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

if __name__ == "__main__":
    django.setup()
    from ketaclinic.people.models import Clinic, Patient, Staff, User
    from ketaclinic.screening.models import VitalSign
    from tests.faults.moving.progress import ROWS

    executor = MigrationExecutor(connection)
    newest = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] != "moving"]
    executor.migrate([*newest, ("moving", "0001_initial")])
    clinic = Clinic.objects.create(name="Synthetic", emergency_contact="x", synthetic=True)
    by = Staff.objects.create(user=User.objects.create(username="n"), clinic=clinic, role="nurse", display_name="N")
    start = datetime(2020, 1, 1, tzinfo=UTC)
    patient = Patient.objects.create(
        clinic=clinic,
        record_number="K-1",
        given_name="A",
        family_name="B",
        birth_date=date(1980, 1, 1),
        registered_at=start,
    )
    row = {"clinic": clinic, "patient": patient, "recorded_by": by, "kind": "heart_rate", "unit": "/min"}
    for begin in range(0, ROWS, 10_000):
        VitalSign.objects.bulk_create(
            VitalSign(**row, at=start + timedelta(minutes=n), recorded_at=start, value=Decimal(40 + n % 120))
            for n in range(begin, begin + 10_000)
        )
