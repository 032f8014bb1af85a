"""``ketaclinic demo``."""

from __future__ import annotations

import sys
from typing import Any

import click

from ketaclinic.cli.starting import django_ready, migrate_quietly, print_json, refuse


@click.command(name="demo")
@click.option("--if-empty", is_flag=True, help="Keep what is there; build only into an empty database.")
@click.option("--patients", type=click.IntRange(12, 50_000), default=120, show_default=True, help="How many people.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same clinic.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(if_empty: bool, patients: int, seed: int, as_json: bool) -> int:
    """Build the demo clinic: synthetic people at every stage, today's floor in full swing.

    Dates are relative to today. Never builds into a database that holds a clinic of its own.
    """
    django_ready()
    from django.utils import timezone

    from ketaclinic.demo.build import SIGN_INS, build_demo
    from ketaclinic.people.models import Clinic

    migrate_quietly()
    there = Clinic.objects.order_by("pk").first()
    if there is not None and not if_empty:
        refuse("the database already holds a clinic; use another KETACLINIC_DATA folder, or --if-empty to keep it")
    if there is None:
        with click.progressbar(
            length=patients, label="Building the demo clinic", file=sys.stderr, hidden=as_json
        ) as bar:
            build_demo(
                at=timezone.now(), seed=seed, patients=patients, progress=lambda done: bar.update(done - bar.pos)
            )
    demo = Clinic.objects.filter(synthetic=True).order_by("pk").first()
    _print(demo, SIGN_INS, as_json)
    return 0


def _print(demo: Any, sign_ins: Any, as_json: bool) -> None:
    from ketaclinic.people.models import Patient, PersonalAccess, Staff

    if demo is None:
        click.echo("The database holds a clinic of its own; no demo was built.")
        return
    staff = Staff.objects.of(demo).select_related("user").order_by("pk")
    own = PersonalAccess.objects.of(demo).select_related("user").order_by("pk")
    known = [
        {
            "role": member.get_role_display(),
            "username": member.user.username,
            "password": sign_ins[member.user.username],
        }
        for member in (*staff, *own)
        if member.user.username in sign_ins
    ]
    number = Patient.objects.of(demo).count()
    if as_json:
        print_json({"clinic": demo.name, "patients": number, "sign_ins": known})
        return
    click.echo(f"{demo.name}: {number} synthetic patients. Sign in as:")
    role, name = (max(len(entry[column]) for entry in known) for column in ("role", "username"))
    for entry in known:
        click.echo(f"  {entry['role']:<{role}}  {entry['username']:<{name}}  {entry['password']}")
