"""All there is to show of one course in one call: plasma, index, dissociation, sedation, pressure, both arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketacore.pkpd.bands import EXPLAINS, Band, Basis
from ketacore.pkpd.dissociation import Dissociation, dissociation_of
from ketacore.pkpd.incidence import Incidence, Noticed, incidence
from ketacore.pkpd.interactions import Scenario
from ketacore.pkpd.levels import PLASMA, Level, levels, one_row
from ketacore.pkpd.mechanism import WEEKS_H, Arms, arms
from ketacore.pkpd.model import Matrix
from ketacore.pkpd.occupancy import Occupancy, occupancy_of
from ketacore.pkpd.pressure import Haemodynamics, haemodynamics_of
from ketacore.pkpd.regimen import Person, Regimen
from ketacore.pkpd.session import session_times
from ketacore.pkpd.system import Array
from ketacore.pkpd.unanswered import Unanswered

NO_PREDICTOR = "A concentration predicts no response (Grunebaum 2019, T65)."


@dataclass(frozen=True, slots=True)
class Plasma:
    """Parent drug in ng/mL of one sampling site: ``total`` of both enantiomers, and ``s`` alone, each a band (T,)."""

    matrix: Matrix
    total: Band
    s: Band
    basis: Basis


@dataclass(frozen=True, slots=True)
class Effects:
    """All of it at ``times_min`` (T,); ``arms`` over its own hours. ``plasma`` by sampling site, never mixed.

    ``dissociation`` is how strong, ``dissociated`` and ``sedated`` are how many people notice.
    """

    times_min: Array
    plasma: Mapping[Matrix, Plasma]
    occupancy: Occupancy
    dissociation: Dissociation | Unanswered
    dissociated: Incidence | Unanswered
    sedated: Incidence | Unanswered
    haemodynamics: Haemodynamics
    arms: Arms


def effects_of(
    regimen: Regimen,
    person: Person,
    times_min: Any,
    *,
    times_h: Any = WEEKS_H,
    scenario: Scenario | None = None,
) -> Effects:
    """Return everything a page shows of a course at ``times_min`` (T,), and both arms at ``times_h``.

    Peaks of pressure are those of the whole course, others those of the moments asked for. What has no published
    answer stands there as ``Unanswered``. Raises what ``members`` raises where no model answers at all, and
    ``ImpossibleInput``. Sources stand with each part. It explains, it does not order.
    """
    times = one_row(times_min)
    every, places = session_times(regimen, times)
    whole = levels(regimen, person, every, scenario=scenario)
    shown = tuple(Level(x.model, x.s_over_r, x.s[:, places], x.r[:, places]) for x in whole)
    return Effects(
        times_min=times,
        plasma=_plasma(shown),
        occupancy=occupancy_of(shown, times),
        dissociation=dissociation_of(shown, regimen, times),
        dissociated=incidence(Noticed.DISSOCIATION, regimen, times),
        sedated=incidence(Noticed.SEDATION, regimen, times),
        haemodynamics=haemodynamics_of(whole, every, places),
        arms=arms(occupancy_of(whole, every), times_h),
    )


def _plasma(known: Sequence[Level]) -> dict[Matrix, Plasma]:
    sites = dict.fromkeys(level.matrix for level in known)
    return {site: _site(site, [level for level in known if level.matrix is site]) for site in sites}


def _site(site: Matrix, known: Sequence[Level]) -> Plasma:
    s, r = (np.stack([getattr(level, side)[PLASMA] for level in known]) for side in "sr")
    models = {level.model.model_id: level.model for level in known}
    weakest = max(model.grade for model in models.values())
    alone = () if len(models) > 1 else ("One model only: the band is far too narrow.",)
    told = Basis(weakest, tuple(models), (NO_PREDICTOR, *alone), EXPLAINS)
    total, own = (Band.of(np.median(curves, axis=0), curves, curves) for curves in (s + r, s))
    return Plasma(site, total, own, told)
