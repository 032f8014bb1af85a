"""People and regimens the tests of pharmacokinetics share."""

from __future__ import annotations

from ketacore.pkpd import DoseEvent, Person, Regimen

ADULT = Person(age_y=45, weight_kg=70)
YOUNG = Person(age_y=24, weight_kg=70)


def one(drug: str, route: str, amount_mg: float, **given: float) -> Regimen:
    """Return a regimen of one dose."""
    return Regimen((DoseEvent(drug, route, amount_mg, **given),))  # type: ignore[arg-type]


NASAL_84 = one("esketamine", "nasal", 84)
INFUSION = one("ketamine", "iv", 35, duration_min=40)
S_INFUSION = one("esketamine", "iv", 20, duration_min=20)
FILM_50 = one("esketamine", "film", 50)
