"""Builds the demo clinic: founds it, writes its people at every stage, fills today's floor, raises what waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from importlib import resources
from random import Random

from django.db import transaction

from ketaclinic.config.distribution import learn_distribution
from ketaclinic.demo.clinic import SIGN_INS, found_clinic, give_sign_in
from ketaclinic.demo.courses import INFUSION, NASAL, items_of
from ketaclinic.demo.floor import CHAIRS, OPENED_BEFORE, fill_chair
from ketaclinic.demo.ledger import Ledger
from ketaclinic.demo.life import Life
from ketaclinic.demo.lives import (
    PROTOCOL_OF,
    World,
    write_consent,
    write_course,
    write_decision,
    write_end,
    write_history,
    write_person,
    write_plan,
    write_screens,
    write_vital,
)
from ketaclinic.followup.actions import record_answers
from ketaclinic.interfaces.fhir.actions import import_bundle
from ketaclinic.people.permissions import Role
from ketaclinic.people.queries import caregivers_of
from ketaclinic.screening.actions import record_problem
from ketacore.planning import PROTOCOLS, series
from ketacore.scales import SCALES

__all__ = ["SIGN_INS", "build_demo"]

BATCH = 100
STAGES = (
    ("referral", 5), ("screening", 12), ("stopped", 5), ("consent", 8), ("planning", 8),
    ("induction", 24), ("maintenance", 27), ("ended", 11),
)  # fmt: skip
"""Where people stand, and how many of a hundred."""
RENEWED_AFTER = timedelta(days=350)
"""Consent is taken anew before the year of the clinic's policy is over."""
TREATED = "Two adequate trials failed; no stop stands."
DECLINED = "A history of psychosis; other care was offered."
ARRIVALS = 4
NEXT_CHAIRS = (7, 8, 5, 1)
"""Two chairs are free, the others become so in this order."""
ALERTS = 3


def build_demo(*, at: datetime, seed: int, patients: int, progress: Callable[[int], None] | None = None) -> None:
    """Build the whole demo clinic as it stands at ``at``; the same seed draws the same people."""
    random = Random(seed)
    with transaction.atomic():
        world = World.of(found_clinic(at), at)
    ledger = Ledger()
    floor = [
        _floor_life(
            ledger,
            world,
            random,
            n,
            product,
            given,
            world.home.clinic.day_of(at - OPENED_BEFORE - timedelta(minutes=minutes)),
        )
        for n, (product, given, minutes, _) in enumerate(CHAIRS, 1)
    ]
    arriving = [_floor_life(ledger, world, random, 10 + n, NASAL, 2 * n + 1, world.today) for n in range(ARRIVALS)]
    for chair, (life, (_, _, minutes, _)) in enumerate(zip(floor, CHAIRS, strict=True), start=1):
        assert life.booking_today is not None
        life.booking_today.starts_at = at - OPENED_BEFORE - timedelta(minutes=minutes)
        life.booking_today.chair = chair
    for n, life in enumerate(arriving):
        assert life.booking_today is not None
        life.booking_today.starts_at = min(at + timedelta(minutes=20 + 45 * n), _end_of_day(world))
        life.booking_today.chair = NEXT_CHAIRS[n]
    followed: list[Life] = []
    for number in range(len(CHAIRS) + ARRIVALS, patients):
        life = _life_at(ledger, world, random, number + 20, _stage_of(number))
        if life.given and len(followed) < ALERTS:
            followed.append(life)
        if number % BATCH == 0:
            ledger.flush()
            if progress:
                progress(number)
    ledger.flush()
    learn_distribution()  # before the floor is filled by reading what was written: PostgreSQL took minutes over it
    with transaction.atomic():
        for chair, (life, (_, _, minutes, shows)) in enumerate(zip(floor, CHAIRS, strict=True), start=1):
            fill_chair(world, life, chair, minutes, shows)
        _write_down_late(world, arriving[-1])
        _raise_alerts(world, random, followed)
        give_sign_in(world.home, arriving[2].patient, at)
        ward = floor[0].patient
        give_sign_in(world.home, ward, at, caregivers_of(ward).first())
        _import_bundles(world)
    if progress:
        progress(patients)


def _write_down_late(world: World, life: Life) -> None:
    """One of those who will arrive has a finding since the decision to treat: the start gate asks again."""
    yesterday = world.when(world.today - timedelta(days=1), time(15, 40))
    record_problem(patient=life.patient, by=world.home.nurse, at=yesterday, display="Aneurysm of abdominal aorta")


def _stage_of(number: int) -> str:
    place = number * 37 % 100
    for stage, share in STAGES:
        if place < share:
            return stage
        place -= share
    return STAGES[-1][0]


def _life_at(ledger: Ledger, world: World, random: Random, number: int, stage: str) -> Life:
    product = NASAL if random.random() < 0.65 else INFUSION
    if stage in ("referral", "screening", "stopped", "consent", "planning"):
        return _before_treatment(ledger, world, random, number, product, stage)
    weeks = {"induction": (1, 3), "maintenance": (6, 64), "ended": (10, 40)}[stage]
    if stage == "maintenance":
        product = NASAL
    first_on = _first_day(
        world, world.today - timedelta(weeks=random.randint(*weeks), days=random.randint(0, 4)), product
    )
    life = _treated(ledger, world, random, number, product, first_on, maintained=stage != "ended")
    if stage == "ended":
        last_on = first_on + timedelta(days=42)
        write_course(ledger, world, life, last_on=last_on)
        good = life.course.outcome.responded
        why, reason = ("completed", "Course complete, well") if good else ("no_benefit", "No benefit by the review")
        write_end(ledger, world, life, min(last_on + timedelta(days=1), world.today - timedelta(days=1)), why, reason)
        return life
    write_course(ledger, world, life)
    if stage == "maintenance" and random.random() < 0.7:
        write_screens(ledger, world, life, max(first_on, world.today - timedelta(days=random.randint(5, 150))))
    return life


def _before_treatment(ledger: Ledger, world: World, random: Random, number: int, product: str, stage: str) -> Life:
    ago = {"referral": 4, "screening": 12, "stopped": 40, "consent": 15, "planning": 16}[stage]
    day = world.today - timedelta(days=random.randint(max(2, ago // 2), ago))
    life = write_person(ledger, world, random, number, product, registered_on=day)
    if stage == "referral":
        return life
    against = ("psychosis_history",) if stage == "stopped" else ()
    if stage == "screening" and random.random() < 0.4:
        against = (random.choice(["regular_alcohol", "cardiovascular_disease", "aneurysmal_disease"]),)
    asked = random.uniform(0.5, 1.0) if stage == "screening" else 1.0
    history = write_history(ledger, world, life, day, asked=asked, yes=against)
    after = day + timedelta(days=1)
    if stage == "stopped":
        write_decision(ledger, world, life, history, after, "decline", DECLINED)
    elif stage != "screening":
        write_decision(ledger, world, life, history, after, "treat", TREATED)
        if stage == "planning":
            write_consent(ledger, world, life, after)
    return life


def _treated(
    ledger: Ledger, world: World, random: Random, number: int, product: str, first_on: date, *, maintained: bool = True
) -> Life:
    life = write_person(
        ledger, world, random, number, product, registered_on=first_on - timedelta(days=20), maintained=maintained
    )
    history = write_history(ledger, world, life, first_on - timedelta(days=6))
    write_decision(
        ledger,
        world,
        life,
        history,
        first_on - timedelta(days=5),
        "treat",
        TREATED,
    )
    signed_on = first_on - timedelta(days=4)
    while signed_on < world.today:
        write_consent(ledger, world, life, signed_on)
        signed_on += RENEWED_AFTER
    write_plan(ledger, world, life, first_on - timedelta(days=3), first_on)
    return life


def _floor_life(ledger: Ledger, world: World, random: Random, number: int, product: str, given: int, on: date) -> Life:
    """Return somebody who is on the floor for the session of ``on``: yesterday's, for a dose given before midnight."""
    planned = series(PROTOCOLS[PROTOCOL_OF[product]], on, weeks=12)
    first_on = on - (planned[given].on - on)
    life = _treated(ledger, world, random, number, product, first_on)
    write_course(ledger, world, life, on_floor=on)
    if product == INFUSION:
        early = world.at - timedelta(minutes=200)
        write_vital(ledger, life, early, world.home.nurse, "weight", life.course.weight_kg)
    return life


def _first_day(world: World, wished: date, product: str) -> date:
    """Return a day near ``wished`` from which no session falls on today: today's chairs are taken."""
    protocol = PROTOCOLS[PROTOCOL_OF[product]]
    for earlier in range(7):
        first_on = wished - timedelta(days=earlier)
        weeks = (world.today - first_on).days // 7 + 2
        days = {session.on for session in series(protocol, first_on, weeks=weeks)}
        if first_on.weekday() < 5 and world.today not in days:
            return first_on
    return wished


def _end_of_day(world: World) -> datetime:
    return datetime.combine(world.today, datetime.max.time().replace(microsecond=0), world.zone)


def _raise_alerts(world: World, random: Random, followed: list[Life]) -> None:
    scale = SCALES["phq9"]
    for n, life in enumerate(followed):
        items = items_of(random, 19, suicide_item=n % 2 + 1)
        record_answers(
            patient=life.patient,
            instrument="phq9",
            answers={item.key: value for item, value in zip(scale.items, items, strict=True)},
            entry_key=f"demo-alert-{n}",
            by=world.home.nurse,
            at=world.at - timedelta(hours=2 + n),
        )


def _import_bundles(world: World) -> None:
    folder = resources.files("ketaclinic.demo") / "data"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".fhir.json"):
            import_bundle(file.read_bytes(), by=world.home.staff[Role.ADMINISTRATOR], at=world.at)
