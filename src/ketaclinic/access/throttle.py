"""How often somebody may fail to prove who they are, counted so that no outsider can shut a clinic out.

| counted by | holds for | what it stops |
|---|---|---|
| person and address | browsers that do not know the person | guessing one password |
| address | the same | trying one password on many people |
| person | the same | guessing from many addresses |
| person, codes only | the same | guessing the second factor with a stolen password |
| person and device | browsers that have signed the person in before | guessing at a clinic's own tablet |
| passkey and address | a passkey alone, at browsers that have signed nobody in | trying one passkey on and on |
| device | a passkey alone, at browsers that have signed somebody in | the same at a clinic's own tablet |

A browser that has signed a person in before has a counter of its own: whatever others do elsewhere, or beside it on
the same network, it stays open to its people. A passkey that is used alone names nobody before it is proved, so it is
never counted by person: all who use one would share that counter. Its attempts from browsers that have signed nobody in
count by address like all others. A refused attempt is not counted, so hammering does not prolong the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db import DatabaseError
from django.utils.crypto import salted_hmac

from ketaclinic.access.models import FailedAttempt
from ketaclinic.access.where import Where
from ketaclinic.people.models import User

KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``failures`` within the last ``window``."""

    failures: int
    window: timedelta


Counter = tuple[dict[str, Any], Limit]
"""Which attempts are counted together, and how many of them there may be."""

PERSON_AND_ADDRESS = Limit(5, timedelta(minutes=15))
PERSON_AND_DEVICE = Limit(10, timedelta(minutes=15))
PASSKEY_AND_ADDRESS = Limit(5, timedelta(minutes=15))
DEVICE = Limit(10, timedelta(minutes=15))
ADDRESS = Limit(40, timedelta(minutes=15))
PERSON = Limit(50, timedelta(hours=1))
CODES = Limit(20, timedelta(hours=24))
ALONE = "passkey only"
"""The way in of whoever has given no name before."""


_unwritten: dict[str, list[datetime]] = {}
"""By device, the attempts that could not be written."""


class TooManyAttempts(Exception):
    """Somebody has failed too often; ``until`` says when it opens again, ``minutes`` how long that is."""

    def __init__(self, until: datetime, at: datetime) -> None:
        super().__init__("too many attempts")
        self.until = until
        self.seconds = max(1, ceil((until - at).total_seconds()))

    @property
    def minutes(self) -> int:
        """Whole minutes to wait, at least one."""
        return -(-self.seconds // 60)


def person_key(username: str) -> str:
    """Return what stands for a user name: a keyed hash, the same for upper and lower case."""
    return salted_hmac("ketaclinic.access.person", username.strip().casefold()).hexdigest()[:32]


def begin_attempt(username: str, user: User | None, place: Where, at: datetime, way: str) -> FailedAttempt:
    """Count an attempt as failed before it is looked at; whoever succeeds forgives it.

    Raises ``TooManyAttempts`` without looking at the attempt.
    """
    person, device = person_key(username), place.known_device(user)
    attempt = FailedAttempt(at=at, way=way, person=person, address=place.address, device=device)
    return _counted(attempt, _counters(person, place.address, device, way))


def begin_again(user: User, here: Where, at: datetime) -> None:
    """Count, in the same way, an attempt of somebody who is signed in here; in this process where nothing is written.

    Only they can open a locked screen, and whoever reads must be able to while the database takes nothing.
    """
    try:
        begin_attempt(user.get_username(), user, here, at, "again")
    except DatabaseError:
        _count_here(here.device, at)


def _count_here(device: str, at: datetime) -> None:
    lately = [moment for moment in _unwritten.get(device, []) if moment > at - DEVICE.window]
    if len(lately) >= DEVICE.failures:
        raise TooManyAttempts(lately[-DEVICE.failures] + DEVICE.window, at)
    _unwritten[device] = [*lately, at]


def begin_passkey(passkey: str, place: Where, at: datetime) -> FailedAttempt:
    """Count, in the same way, an attempt with a passkey by somebody who has given no name; ``passkey`` is its id."""
    key = salted_hmac("ketaclinic.access.passkey", passkey).hexdigest()[:32]
    attempt = FailedAttempt(at=at, way=ALONE, person=key, address=place.address, device=place.device)
    return _counted(attempt, _counters_alone(key, place.address, place.device))


def _counted(attempt: FailedAttempt, counters: list[Counter]) -> FailedAttempt:
    """Write an attempt down, and see once more whether there was room: of many at one moment none slips through.

    Each sees all that were written before it looked, so that never more than the limit go on; it may be fewer.
    """
    _raise_if_closed(attempt, counters)
    FailedAttempt.objects.filter(at__lt=attempt.at - KEPT).delete()
    attempt.save()
    try:
        _raise_if_closed(attempt, counters)
    except TooManyAttempts:
        attempt.delete()
        raise
    return attempt


def _raise_if_closed(attempt: FailedAttempt, counters: list[Counter]) -> None:
    closed = [until for given, limit in counters if (until := _full(given, limit, attempt))]
    if closed:
        raise TooManyAttempts(max(closed), attempt.at)


def forgive(user: User, place: Where) -> None:
    """Forget what this person failed at from here; what others tried elsewhere in their name stays counted."""
    device, mine = place.known_device(user), FailedAttempt.objects.filter(person=person_key(user.get_username()))
    _unwritten.pop(device, None)
    mine.filter(address=place.address, device="").delete()
    if device:
        mine.filter(device=device).delete()


def _counters(person: str, address: str, device: str, way: str) -> list[Counter]:
    if device:
        return [({"person": person, "device": device}, PERSON_AND_DEVICE)]
    codes = [({"person": person, "device": "", "way": way}, CODES)] if way == "code" else []
    return [
        *codes,
        ({"person": person, "address": address, "device": ""}, PERSON_AND_ADDRESS),
        ({"address": address, "device": ""}, ADDRESS),
        ({"person": person, "device": ""}, PERSON),
    ]


def _counters_alone(passkey: str, address: str, device: str) -> list[Counter]:
    if device:
        return [({"device": device, "way": ALONE}, DEVICE)]
    return [
        ({"person": passkey, "address": address, "device": ""}, PASSKEY_AND_ADDRESS),
        ({"address": address, "device": ""}, ADDRESS),
    ]


def _full(given: dict[str, Any], limit: Limit, attempt: FailedAttempt) -> datetime | None:
    """Return when a counter that other attempts have filled opens again, ``None`` for one that has room."""
    others = FailedAttempt.objects.filter(**given, at__gt=attempt.at - limit.window).exclude(pk=attempt.pk)
    oldest_that_counts = others.order_by("-at").values_list("at", flat=True)[limit.failures - 1 : limit.failures]
    return next((moment + limit.window for moment in oldest_that_counts), None)
