"""Models come from TOML files beside the code, read once at import; an incomplete one is refused with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from math import log
from typing import Any

import numpy as np

from ketacore.evidence import Grade
from ketacore.pkpd.model import (
    MOLAR_MASS,
    Channel,
    Clearance,
    Covariate,
    Flow,
    Matrix,
    Model,
    Output,
    Parameter,
    Product,
    Spread,
    Studied,
)
from ketacore.pkpd.refusals import is_number
from ketacore.pkpd.regimen import Ancestry, Drug, Route

UNITS = {
    "1": 1.0,
    "min": 1.0,
    "h": 60.0,
    "1/min": 1.0,
    "1/h": 1 / 60,
    "L": 1.0,
    "L/kg": 70.0,
    "L/min": 1.0,
    "L/h": 1 / 60,
}
"""What one unit is in min and L, at 70 kg."""
DIMENSIONS = {
    "1": (0, 0),
    "min": (0, 1),
    "h": (0, 1),
    "1/min": (0, -1),
    "1/h": (0, -1),
    "L": (1, 0),
    "L/kg": (1, 0),
    "L/min": (1, -1),
    "L/h": (1, -1),
}
"""The powers of L and of time in each unit."""
NUMBER, TIME, RATE, PER_VOLUME = (0, 0), (0, 1), (0, -1), (-1, 0)
NG_PER_ML = 1000.0
"""ng/mL in one mg/L."""


class ModelDataError(ValueError):
    """A model file that cannot be used; the message names the file and the place."""


def load_models() -> dict[str, Model]:
    """Return the models of this package by id, in the order of their files."""
    folder = resources.files("ketacore.pkpd") / "data" / "models"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    models = [parse_model(f.read_text(encoding="utf-8"), f.name) for f in files]
    return {model.model_id: model for model in models}


def parse_model(text: str, name: str = "model") -> Model:
    """Return the model in a TOML text; raises ``ModelDataError`` for what is missing, unknown or inconsistent."""
    try:
        model = _model(tomllib.loads(text))
    except KeyError as error:
        raise ModelDataError(f"{name}: {error.args[0]} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelDataError(f"{name}: {error}") from None
    wrong = next(_wrong(model), None)
    if wrong:
        raise ModelDataError(f"{name}: {wrong}")
    return model


_KEYS: Mapping[str, frozenset[str]] = {
    "model": frozenset(
        (
            "id",
            "title",
            "grade",
            "matrix",
            "enabled",
            "why_disabled",
            "drugs",
            "states",
            "gaps",
            "not_for",
            "source",
            "studied",
            "parameters",
            "covariances",
            "flows",
            "routes",
            "outputs",
            "clearance",
        )
    ),
    "source": frozenset(("citation", "doi", "transcription")),
    "studied": frozenset(("people", "age_y", "weight_kg")),
    "parameter": frozenset(["value", "unit", "allometry", "omega2", "cv", "logit_sd", "occasion_omega2", "covariates"]),
    "covariate": frozenset(("per_year", "from_age_y", "factor", "ancestry")),
    "covariance": frozenset(("between", "omega2")),
    "flow": frozenset(("from", "to", "times", "over", "rest", "factor")),
    "channel": frozenset(("to", "share", "later", "lasting")),
    "share": frozenset(("times", "over", "rest", "factor")),
    "output": frozenset(("analyte", "state", "volume", "molecule", "carried_as", "error")),
    "error": frozenset(("proportional_sd", "log_sd", "additive_nmol_per_ml")),
    "clearance": frozenset(("parameters", "flow", "volume", "gut")),
}
"""What may stand in each table of a file: a word that is mistyped would silently count for nothing."""


def _known(what: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a table; raises for a key that has no meaning in it."""
    strange = sorted(set(given) - _KEYS[what])
    if strange:
        raise ValueError(f"{what} has no {strange[0]}; it has: {', '.join(sorted(_KEYS[what]))}")
    return given


def _yes_or_no(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("enabled is neither true nor false")
    return given


def _model(data: Mapping[str, Any]) -> Model:
    _known("model", data)
    source = _known("source", data["source"])
    parameters = {name: _parameter(name, _known("parameter", given)) for name, given in data["parameters"].items()}
    effects, omega = _omega(data)
    return Model(
        model_id=data["id"],
        title=data["title"],
        citation=source["citation"],
        doi=source.get("doi", ""),
        transcription=source["transcription"],
        grade=Grade(data["grade"]),
        matrix=Matrix(data["matrix"]),
        enabled=_yes_or_no(data["enabled"]),
        why_disabled=data.get("why_disabled", ""),
        drugs=frozenset(Drug(name) for name in data["drugs"]),
        studied=_studied(_known("studied", data["studied"])),
        states=tuple(data["states"]),
        parameters=parameters,
        flows=tuple(Flow(f["from"], f.get("to"), _product(_known("flow", f))) for f in data["flows"]),
        routes={
            Route(name): tuple(_channel(_known("channel", c)) for c in given) for name, given in data["routes"].items()
        },
        outputs=tuple(_output(_known("output", o)) for o in data["outputs"]),
        clearance=_clearance(_known("clearance", data["clearance"])),
        gut=data["clearance"].get("gut"),
        effects=effects,
        omega=omega,
        occasion_variances={
            name: float(given["occasion_omega2"])
            for name, given in data["parameters"].items()
            if "occasion_omega2" in given
        },
        not_for=frozenset(Matrix(name) for name in data.get("not_for", [])),
        gaps=tuple(data.get("gaps", [])),
    )


def _studied(given: Mapping[str, Any]) -> Studied:
    def span(name: str) -> tuple[float, float] | None:
        if name not in given:
            return None
        low, high = (float(end) for end in given[name])
        if low > high:
            raise ValueError(f"{name} runs from {low:g} down to {high:g}")
        return low, high

    return Studied(given["people"], span("age_y"), span("weight_kg"))


def _product(given: Mapping[str, Any]) -> Product:
    times, over, rest = (tuple(given.get(part, [])) for part in ("times", "over", "rest"))
    return Product(times, over, rest, float(given.get("factor", 1.0)))


def _channel(given: Mapping[str, Any]) -> Channel:
    later = _product(_known("share", given["later"])) if "later" in given else None
    return Channel(given["to"], _product(_known("share", given.get("share", {}))), later, given.get("lasting"))


def _parameter(name: str, given: Mapping[str, Any]) -> Parameter:
    unit = given["unit"]
    if unit not in UNITS:
        raise ValueError(f"parameter {name} has the unknown unit {unit}")
    return Parameter(
        name=name,
        value=_number(name, given["value"]) * UNITS[unit],
        printed=float(given["value"]),
        unit=unit,
        allometry=1.0 if unit == "L/kg" else float(given.get("allometry", 0.0)),
        spread=Spread.LOGIT if "logit_sd" in given else Spread.LOG,
        covariates=tuple(_covariate(_known("covariate", c), UNITS[unit]) for c in given.get("covariates", [])),
    )


def _number(name: str, given: Any) -> float:
    if not is_number(given):
        raise ValueError(f"value of {name} is not a number")
    return float(given)


def _covariate(given: Mapping[str, Any], unit: float) -> Covariate:
    return Covariate(
        per_year=float(given.get("per_year", 0.0)) * unit,
        from_age_y=float(given.get("from_age_y", 0.0)),
        factor=float(given.get("factor", 1.0)),
        ancestry=frozenset(Ancestry(name) for name in given.get("ancestry", [])),
    )


def _output(given: Mapping[str, Any]) -> Output:
    error = _known("error", given.get("error", {}))
    mass = MOLAR_MASS[given.get("molecule", "ketamine")]
    ratio = mass / MOLAR_MASS[given["carried_as"]] if "carried_as" in given else 1.0
    return Output(
        analyte=given["analyte"],
        state=given["state"],
        per_volume=Product(over=tuple(given["volume"]), factor=NG_PER_ML * ratio),
        proportional_sd=float(error.get("proportional_sd", error.get("log_sd", 0.0))),
        additive_ng_per_ml=float(error.get("additive_nmol_per_ml", 0.0)) * mass,
    )


def _clearance(given: Mapping[str, Any]) -> Clearance:
    return Clearance(tuple(given["parameters"]), given.get("flow"), given.get("volume"))


def _omega(data: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Return which parameters vary, and the covariance of their effects: variances first, then the blocks."""
    variances = {name: _variance(given) for name, given in data["parameters"].items()}
    blocks = [_known("covariance", block) for block in data.get("covariances", [])]
    effects = tuple(name for name, variance in variances.items() if variance)
    pairs = {frozenset(block["between"]): float(block["omega2"]) for block in blocks}
    for name in sorted({name for pair in pairs for name in pair} - set(effects)):
        raise ValueError(f"covariances name {name}, which varies between nobody")
    omega = tuple(
        tuple(
            float(variances[row]) if row == column else pairs.get(frozenset((row, column)), 0.0) for column in effects
        )
        for row in effects
    )
    if effects and float(np.linalg.eigvalsh(np.asarray(omega))[0]) <= 0:
        raise ValueError("the covariances are larger than the variances allow: no people vary so")
    return effects, omega


def _variance(given: Mapping[str, Any]) -> float:
    """Return the variance of an effect; a coefficient of variation CV of a log-normal is ln(1 + CV²)."""
    if "cv" in given:
        return log(1 + float(given["cv"]) ** 2)
    return float(given.get("omega2", float(given.get("logit_sd", 0.0)) ** 2))


def _wrong(model: Model) -> Iterator[str]:
    states = [s for f in model.flows for s in (f.of, f.to) if s is not None]
    states += [c.to for channels in model.routes.values() for c in channels] + [o.state for o in model.outputs]
    yield from _unknown("state", states, model.states)
    channels = [c for given in model.routes.values() for c in given]
    products = [f.rate for f in model.flows] + [o.per_volume for o in model.outputs]
    products += [p for c in channels for p in (c.share, c.later) if p is not None]
    names = [name for product in products for name in product.names]
    names += [n for n in (*model.clearance.parameters, model.clearance.flow, model.clearance.volume, model.gut) if n]
    names += [c.lasting for c in channels if c.lasting]
    yield from _unknown("parameter", names, model.parameters)
    yield from (f"parameter {name} is used nowhere" for name in model.parameters if name not in names)
    yield from (
        f"occasion_omega2 of parameter {name} is not above 0"
        for name, variance in model.occasion_variances.items()
        if not variance > 0
    )
    yield from _wrong_dimensions(model)
    yield from (
        f"analyte {o.analyte} is not known: {', '.join(MOLAR_MASS)}, with S- or R- before it"
        for o in model.outputs
        if o.analyte.removeprefix("S-").removeprefix("R-") not in MOLAR_MASS
    )
    yield from (f"parameter {p.name} is not above 0" for p in model.parameters.values() if not p.value > 0)
    if model.enabled and model.grade is Grade.C:
        yield "grade C may not be enabled"
    if not model.enabled and not model.why_disabled:
        yield "why_disabled is missing"


def _wrong_dimensions(model: Model) -> Iterator[str]:
    """Yield what is no rate, no share, no volume or no time, by the units of its parameters."""
    channels = [c for given in model.routes.values() for c in given]
    shares = [share for c in channels for share in (c.share, c.later) if share is not None]
    wanted = [
        *((f"the flow from {f.of} to {f.to or 'nowhere'} is no rate", f.rate, RATE) for f in model.flows),
        *(("a share of a dose is no share", share, NUMBER) for share in shares),
        *((f"what {o.analyte} is read by is no volume", o.per_volume, PER_VOLUME) for o in model.outputs),
        *((f"{c.lasting} lasts no time", Product(times=(c.lasting,)), TIME) for c in channels if c.lasting),
    ]
    for told, product, dimension in wanted:
        of = [DIMENSIONS[model.parameters[name].unit] for name in product.times]
        per = [DIMENSIONS[model.parameters[name].unit] for name in product.over]
        if tuple(sum(d[k] for d in of) - sum(d[k] for d in per) for k in (0, 1)) != dimension:
            yield f"{told}: look at the units of {', '.join((*product.times, *product.over))}"


def _unknown(what: str, named: Collection[str], known: Collection[str]) -> Iterator[str]:
    yield from (f"unknown {what} {name}" for name in named if name not in known)


MODELS: dict[str, Model] = load_models()
