"""Concentrations from the shell: ``ketacore pkpd < request.json``::

    {"model": "perez-ruixo-2021",
     "person": {"age_y": 45, "weight_kg": 70, "sex": "female", "ancestry": "caucasian"},
     "doses": [{"drug": "esketamine", "route": "nasal", "amount_mg": 84, "start_min": 0, "devices": 3,
                "device_gap_min": 5},
               {"drug": "ketamine", "route": "iv", "amount_mg": 35, "start_min": 180, "duration_min": 40}],
     "matrix": "venous", "until_h": 24, "scenario": null, "population": {"patients": 1000, "seed": 1}}

``model`` is a model's id or ``ensemble`` (every model that answers, as a band). ``matrix`` is arterial, venous or null
(the model's own; an ensemble with models of both then answers for venous blood and has the arterial one under
``other_sites``). ``drug`` is esketamine or ketamine; ``route`` iv, im, nasal, oral, sublingual or film. ``ancestry``
is caucasian, asian, japanese or null, ``sex`` female, male or null. ``scenario`` names an interaction or is null.
``population`` (or null) draws 2 to 10 000 people like this one with the variability that one model publishes: each
analyte then has a ``band`` of its highest concentration, the time of that and its area, from the lower to the upper of
the ``percentiles`` the reply names. The same seed gives the same people; the figures themselves stay those of the
typical person. The ``band`` of an ensemble, which takes no ``population``, runs from its lowest to its highest model;
where one model alone answers, it is that of people drawn. ``grade`` is the weakest of the models, ``lowest_grade`` also
of the rules they are asked by (enantiomers of a racemate, an interaction).
Highest concentrations are those from 0 to ``until_h`` (24 where left out); areas are from 0 to 24 h.

It explains, it does not order: a concentration predicts no response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ketacore.evidence.asking import MOST, a_list, a_thing, a_word, refusal, refuse_unknown
from ketacore.pkpd.between_people import FEWEST, Draw, between_people, most_people
from ketacore.pkpd.ensemble import Member, by_model, by_site, members, named_notes
from ketacore.pkpd.expected import SHARE
from ketacore.pkpd.exposure import DAY_MIN, Exposure, exposure
from ketacore.pkpd.individuals import typical
from ketacore.pkpd.interactions import Scenario, under
from ketacore.pkpd.loading import MODELS
from ketacore.pkpd.model import Matrix, Model
from ketacore.pkpd.refusals import a_quantity
from ketacore.pkpd.regimen import DoseEvent, Person, Regimen, one_of
from ketacore.pkpd.simulate import S_OVER_R, lowest_grade, notes_on
from ketacore.pkpd.system import Array

ENSEMBLE = "ensemble"
LONGEST_H = 10_000
OTHER_SITES = (
    "No sampling site was asked for: the figures are those of venous blood, which a clinic draws; those of arterial "
    "blood, about twice as high after an infusion, stand apart (other_sites). The two are never one band."
)
MEDIAN = "Each figure is the median of the models; its band reaches from the lowest of them to the highest."
NO_SUM = "{} is the median of {} models and {} of {}: the racemate is not the sum of the enantiomers shown here."
NOTHING = 1e-9
"""A smaller concentration, area or time is left by rounding."""
ALONE = Draw(patients=200, seed=1)
_TOP = ("model", "person", "doses", "matrix", "until_h", "scenario", "population")
_DOSE = ("drug", "route", "amount_mg", "start_min", "duration_min", "devices", "device_gap_min")
_PERSON = ("age_y", "weight_kg", "sex", "ancestry")
_POPULATION = ("patients", "seed")
_FIGURES = ("cmax_ng_per_ml", "tmax_min", "auc_0_24_ng_h_per_ml", "half_life_h")
_EXPOSURE = {"auc_0_24_ng_h_per_ml": "auc_ng_h_per_ml"}
"""Figures that ``Exposure`` calls otherwise, as its area has limits of its own."""

Bands = Mapping[str, Mapping[str, list[float]]]
"""By analyte and figure: lowest and highest."""


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the exposure one request asks for, as JSON; raises ``Refusal`` for what has no answer."""
    refuse_unknown(document, _TOP, "the request")
    name = a_word("model", document.get("model"))
    person, regimen = person_in(document.get("person")), regimen_in(document.get("doses"))
    matrix = _matrix(document.get("matrix"))
    until_h = 24 if document.get("until_h") is None else document["until_h"]
    until_min = 60 * a_quantity("until_h", until_h, 0.01, LONGEST_H, "h")
    scenario = (None if document.get("scenario") is None else a_thing("scenario", document["scenario"])) or None
    draw = _draw(name, document.get("population"))
    joined = _members(name, regimen, person, matrix, scenario)
    sites = by_site(joined) if name == ENSEMBLE else {None: joined}
    if name == ENSEMBLE and len({member.model.model_id for member in joined}) == 1:
        draw = _drawn_alone(joined[0].model, regimen)
    how: dict[str, Any] = {"until_min": until_min, "matrix": matrix, "scenario": scenario}
    answered = {site: _Answered(name, of, regimen, person, draw, how) for site, of in sites.items()}
    (site, first), *others = answered.items()
    return {
        "model": name,
        "matrix": _site(name, joined, site or matrix),
        "grade": max(member.model.grade for member in joined),
        "lowest_grade": max(lowest_grade(member.model, regimen, scenario) for member in joined),
        "source": " | ".join(dict.fromkeys(member.model.source for member in joined)),
        "notes": [
            *([OTHER_SITES] if others else []),
            *_notes(joined, regimen, person, scenario),
            *_on_the_window(regimen, until_min),
            *(f"{site}: {note}" if others else note for site, of in answered.items() for note in of.notes()),
        ],
        "members": first.members,
        "analytes": first.analytes(),
        **(
            {"other_sites": {s: {"members": of.members, "analytes": of.analytes()} for s, of in others}}
            if others
            else {}
        ),
        **({} if draw is None else {"population": {**asdict(draw), "percentiles": list(SHARE)}}),
    }


class _Answered:
    """What the models of one sampling site answer."""

    def __init__(
        self,
        name: str,
        joined: Sequence[Member],
        regimen: Regimen,
        person: Person,
        draw: Draw | None,
        how: Mapping[str, Any],
    ) -> None:
        self._is_ensemble, self._joined, self._draw = name == ENSEMBLE, joined, draw
        self._found = [exposure(m.model, regimen, person, s_over_r=m.s_over_r, **how) for m in joined]
        self._bands = _across_models(self._found) if self._is_ensemble else {}
        if draw is not None:
            self._bands = _across_people(between_people(joined[0].model, regimen, person, draw, **how))

    @property
    def members(self) -> list[str]:
        """Return the ids of the models."""
        return list(dict.fromkeys(member.model.model_id for member in self._joined))

    def analytes(self) -> dict[str, Any]:
        """Return the figures of each analyte; of an ensemble with the models that predict it."""
        told = {}
        for name, ids in self._who().items():
            told[name] = _told(ids, _columns(self._found, name), self._bands.get(name))
            if self._is_ensemble:
                told[name]["members"] = list(dict.fromkeys(ids))
        hydroxy = told.get("S-hydroxynorketamine")
        return told if hydroxy is None else {"hydroxynorketamine": hydroxy, **told}

    def notes(self) -> list[str]:
        """Say what bands are, of which analytes one model alone predicts one, and where a racemate is no sum."""
        if self._draw is not None:
            return [self._draw.note(self._joined[0].model)]
        if not self._is_ensemble:
            return []
        who = {analyte: list(dict.fromkeys(ids)) for analyte, ids in self._who().items()}
        alone = [f"{a}: {ids[0]} alone predicts it, so its band tells nothing." for a, ids in who.items()
                 if len(ids) == 1]  # fmt: skip
        apart = [NO_SUM.format(n, len(ids), f"S-{n}", len(who.get(f"S-{n}", []))) for n, ids in who.items()
                 if f"R-{n}" in who and ids != who.get(f"S-{n}")]  # fmt: skip
        return [*([MEDIAN] if len(self._found) > 1 else []), *alone, *apart]

    def _who(self) -> dict[str, list[str]]:
        """Return by which model each member predicts each analyte."""
        return {
            name: [m.model.model_id for m, of in zip(self._joined, self._found, strict=True) if name in of]
            for name in _named(self._found)
        }


def _members(
    name: str, regimen: Regimen, person: Person, matrix: Matrix | None, scenario: Scenario | None
) -> tuple[Member, ...]:
    if name == ENSEMBLE:
        return members(regimen, person, matrix=matrix, scenario=scenario)
    if name not in MODELS:
        known = [model.model_id for model in MODELS.values() if model.enabled]
        raise refusal(f"model {name!r} is not known", f"Use one of: {', '.join(known)}, {ENSEMBLE}.")
    return (Member(MODELS[name], S_OVER_R),)


def _draw(name: str, given: Any) -> Draw | None:
    if given is None:
        return None
    fields = a_thing("population", given)
    refuse_unknown(fields, _POPULATION, "population")
    if name == ENSEMBLE:
        raise refusal("an ensemble draws no population", "Name one model, or leave population out.")
    return Draw(fields.get("patients"), fields.get("seed"))  # type: ignore[arg-type]


def _drawn_alone(model: Model, regimen: Regimen) -> Draw | None:
    """Return the people drawn where one model makes a whole ensemble: without them its band would be a line.

    None where the doses are too many for even a few people.
    """
    patients = min(ALONE.patients, most_people(model, regimen))
    return Draw(patients, ALONE.seed) if patients >= FEWEST else None


def person_in(given: Any) -> Person:
    """Return the person of a request; raises ``Refusal``."""
    fields = a_thing("person", given)
    refuse_unknown(fields, _PERSON, "person")
    return Person(fields.get("age_y"), fields.get("weight_kg"), fields.get("sex"), fields.get("ancestry"))  # type: ignore[arg-type]


def regimen_in(given: Any) -> Regimen:
    """Return the regimen of a request; raises ``Refusal``."""
    regimen = Regimen(tuple(_dose(a_thing("dose", dose)) for dose in a_list("doses", given)))
    if regimen.portions > MOST:
        because = f"{regimen.portions} devices and doses are more than one request answers"
        raise refusal(because, f"Ask for at most {MOST} at once, or use the library: it has no such limit.")
    return regimen


def _dose(fields: Mapping[str, Any]) -> DoseEvent:
    refuse_unknown(fields, _DOSE, "dose")
    given = {name: value for name, value in fields.items() if value is not None}
    return DoseEvent(given.pop("drug", None), given.pop("route", None), given.pop("amount_mg", None), **given)


def _matrix(given: Any) -> Matrix | None:
    if given is not None and given not in (Matrix.ARTERIAL, Matrix.VENOUS):
        raise refusal(f"matrix {str(given)[:40]!r} is not known", "Use arterial, venous or null.")
    return None if given is None else one_of(Matrix, "matrix", given)


def _site(name: str, joined: Sequence[Member], matrix: Matrix | None) -> str | None:
    """Return where blood is drawn: as asked for, or the one site that the models state."""
    stated = {member.model.matrix for member in joined} - {Matrix.UNKNOWN}
    if name == ENSEMBLE and matrix is not None:
        return matrix
    return next(iter(stated)) if len(stated) == 1 else None


def _notes(joined: Sequence[Member], regimen: Regimen, person: Person, scenario: Scenario | None) -> list[str]:
    told = [
        (m.model, notes_on(m.model, regimen, under(scenario, typical(m.model, person)), m.s_over_r)) for m in joined
    ]
    return named_notes(told) if len(joined) > 1 else list(told[0][1])


def _on_the_window(regimen: Regimen, until_min: float) -> list[str]:
    last = max(dose.start_min for dose in regimen.doses)
    said = "A dose starts at {:g} h or later: {}."
    notes = [
        (until_min, "what comes of it after that is not in the highest concentrations"),
        (DAY_MIN, "areas are those of the first 24 h"),
    ]
    return [said.format(end / 60, what) for end, what in notes if last >= end]


def _told(
    ids: Sequence[str], columns: Mapping[str, list[float]], band: Mapping[str, list[float]] | None
) -> dict[str, Any]:
    """Return the figures of one analyte: of the model, or the median of the models, with their band if any."""
    middle = {
        name: _rounded(float(np.median(by_model(list(zip(ids, values, strict=True))))))
        for name, values in columns.items()
    }
    return middle if band is None else {**middle, "band": dict(band)}


def _across_models(found: Sequence[Mapping[str, Exposure]]) -> Bands:
    columns = {name: _columns(found, name) for name in _named(found)}
    return {
        name: {figure: [_rounded(min(values)), _rounded(max(values))] for figure, values in of.items()}
        for name, of in columns.items()
    }


def _across_people(found: Mapping[str, Mapping[str, Array]]) -> Bands:
    asked = {_EXPOSURE.get(figure, figure): figure for figure in _FIGURES}
    return {
        name: {asked[figure]: [_rounded(float(value)) for value in values] for figure, values in of.items()}
        for name, of in found.items()
    }


def _named(found: Sequence[Mapping[str, Exposure]]) -> list[str]:
    return list(dict.fromkeys(name for exposures in found for name in exposures))


def _columns(found: Sequence[Mapping[str, Exposure]], analyte: str) -> dict[str, list[float]]:
    """Return each figure of one analyte, by every member that predicts it."""
    known = [exposures[analyte] for exposures in found if analyte in exposures]
    return {name: [float(getattr(e, _EXPOSURE.get(name, name))[0]) for e in known] for name in _FIGURES}


def _rounded(value: float) -> float:
    """Return a figure with six digits: more would pretend; what rounding leaves of nothing is nothing."""
    return float(f"{value:.6g}") if value > NOTHING else 0.0
