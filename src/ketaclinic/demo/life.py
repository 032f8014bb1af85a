"""One invented person on the way through the pathway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from ketaclinic.demo.courses import Course
from ketaclinic.people.models import Patient
from ketaclinic.planning.models import Booking, Plan


@dataclass
class Life:
    """One person on the way: filled in as the pathway is walked."""

    patient: Patient
    product: str
    course: Course
    random: Random
    first_on: date | None = None
    plan: Plan | None = None
    booking_today: Booking | None = None
    given: int = 0
