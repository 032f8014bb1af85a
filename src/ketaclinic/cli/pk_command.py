"""``ketaclinic pk simulate|compare|validate``: the models from the shell, with a table, a picture or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ketaclinic.cli.groups import Group
from ketaclinic.cli.starting import Refused, print_json, refuse

if TYPE_CHECKING:
    from ketacore.evidence import Refusal
    from ketacore.pkpd.validation import Row

DOSE = re.compile(
    r"(?P<drug>\w+) (?P<route>\w+) (?P<amount>[\d.]+)(?: ?mg)?"
    r"(?: at (?P<start>[\d.]+)(?: ?min)?)?(?: over (?P<last>[\d.]+)(?: ?min)?)?",
)
SAYS = "It explains, it does not order. A concentration predicts no response."
POINTS = 400
_COLUMNS = ("analyte", "Cmax ng/mL", "Tmax min", "AUC 0-24 h ng·h/mL", "half-life h")


class DoseWords(click.ParamType[dict[str, Any]]):
    """A dose as words: ``ketamine iv 35 over 40``, ``esketamine nasal 84 at 0``."""

    name = "dose"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the dose as the models are asked for it."""
        found = DOSE.fullmatch(" ".join(str(value).lower().split()))
        if found is None:
            self.fail(f"{value!r}: write DRUG ROUTE MG [at MIN] [over MIN], as in 'ketamine iv 35 over 40'", param, ctx)
        numbers = {"amount_mg": found["amount"], "start_min": found["start"], "duration_min": found["last"]}
        try:
            given = {name: float(words) for name, words in numbers.items() if words is not None}
        except ValueError:
            self.fail(f"{value!r}: a number has two points", param, ctx)
        return {"drug": found["drug"], "route": found["route"], **given}


ASKED = (
    click.option(
        "--dose",
        "doses",
        type=DoseWords(),
        multiple=True,
        required=True,
        help="As in 'ketamine iv 35 over 40'; repeat it.",
    ),
    click.option("--age", type=float, default=45, show_default=True, metavar="YEARS"),
    click.option("--weight", type=float, default=70, show_default=True, metavar="KG"),
    click.option("--sex", type=click.Choice(["female", "male"])),
    click.option("--ancestry", type=click.Choice(["caucasian", "asian", "japanese"])),
    click.option(
        "--matrix", type=click.Choice(["arterial", "venous"]), help="Sampling site; default: what each model has."
    ),
    click.option(
        "--scenario", "interactions", multiple=True, metavar="NAME=WORD", help="An interaction: cyp2b6=inhibited."
    ),
    click.option("--until", "until_h", type=float, default=24, show_default=True, metavar="HOURS"),
    click.option(
        "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw it into this .png or .svg file."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say who receives what."""
    return reduce(lambda inner, option: option(inner), reversed(ASKED), command)


@click.group(cls=Group, name="pk")
def command() -> None:
    """Ask published models for the concentrations of ketamine and esketamine. Explains, does not order."""


@command.command()
@click.option(
    "--model", default="ensemble", show_default=True, metavar="ID", help="A model, or every one that answers."
)
@click.option("--patients", type=int, metavar="N", help="Draw N people of one model; their band stands in brackets.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Decides who is drawn.")
@asked
def simulate(model: str, patients: int | None, seed: int, plot: Path | None, as_json: bool, **given: Any) -> int:
    """Print the highest concentration, its time, the area and the half-life of each analyte."""
    request = _request(model, **given)
    if patients is not None:
        request["population"] = {"patients": patients, "seed": seed}
    reply = _answer(request, as_json=as_json)
    if plot is not None:
        site = f", {reply['matrix']} blood" if reply["matrix"] else ""
        _draw(plot, request, reply["members"], site, as_json=as_json)
    if as_json:
        print_json(reply)
        return 0
    others = reply.get("other_sites", {})
    for site, of in {reply["matrix"]: reply, **others}.items():
        if others:
            click.echo(f"Blood drawn: {site}")
        _table([(_COLUMNS, True), *((_line(name, figures), False) for name, figures in of["analytes"].items())])
        click.echo()
    _told(reply)
    return 0


@command.command()
@click.option("--model", "models", multiple=True, metavar="ID", help="Repeat it; default: every model that answers.")
@asked
def compare(models: tuple[str, ...], plot: Path | None, as_json: bool, **given: Any) -> int:
    """Print what several models say about the same doses, side by side."""
    names = models or _all_members(_answer(_request("ensemble", **given), as_json=as_json))
    replies = {name: _answer(_request(name, **given), as_json=as_json) for name in names}
    if plot is not None:
        _check_sites(names, as_json=as_json)
        _draw(plot, _request(names[0], **given), names, "", as_json=as_json)
    if as_json:
        print_json(replies)
        return 0
    for site in dict.fromkeys(reply["matrix"] for reply in replies.values()):
        click.echo(f"Blood drawn: {site or 'not stated'}")
        lines: list[tuple[tuple[str, ...], bool]] = [(("model", "grade", *_COLUMNS), True)]
        for name, reply in replies.items():
            if reply["matrix"] == site:
                graded = (name, reply["lowest_grade"])
                lines += [((*graded, *_line(analyte, f)), False) for analyte, f in reply["analytes"].items()]
        _table(lines)
        click.echo()
    click.echo(f"Arterial and venous values of one dose differ by a factor of about 2: not to be compared. {SAYS}")
    click.echo("What each rests on: ketaclinic pk simulate --model ID")
    return 0


def _all_members(reply: dict[str, Any]) -> tuple[str, ...]:
    """Return the models of all sampling sites."""
    sites = [reply, *reply.get("other_sites", {}).values()]
    return tuple(dict.fromkeys(name for site in sites for name in site["members"]))


def _check_sites(names: Sequence[str], *, as_json: bool) -> None:
    """Draw arterial and venous on no common axis."""
    from itertools import combinations

    from ketacore.evidence import Refusal
    from ketacore.pkpd import MODELS
    from ketacore.pkpd.simulate import check_comparable

    try:
        for one, other in combinations({MODELS[name].matrix for name in names}, 2):
            check_comparable(one, other)
    except Refusal as refusal:
        do = f"{refusal.do} Choose it with --matrix, or name the models with --model."
        _refuse(Refusal(refusal.refused, refusal.because, do), as_json=as_json)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(as_json: bool) -> int:
    """Compute every published value that a model answers; fails where a miss has no explanation."""
    from ketacore.pkpd.validation import Verdict
    from ketacore.pkpd.validation import validate as rows_of

    rows = rows_of()
    told = [
        {
            "target": row.target.target,
            "what": row.target.title,
            "published": row.target.published,
            "limits": [row.target.low, row.target.high],
            "predicted": list(row.predicted),
            "unit": row.target.unit,
            "verdict": row.verdict,
            "caveats": list(row.caveats),
            "explanation": row.target.explanation,
        }
        for row in rows
    ]
    if as_json:
        print_json(told)
    else:
        head = ("target", "what", "published", "limits", "predicted", "unit", "verdict")
        _table([(head, True), *((_judged(row), False) for row in rows)])
        click.echo("\nWhat fails, or lies partly outside, is explained in docs/validation.md.")
    missed = [row for row in rows if row.verdict in (Verdict.FAIL, Verdict.PARTLY)]
    return int(any(not row.target.explanation for row in missed))


def _judged(row: Row) -> tuple[str, ...]:
    of = row.target
    published = "curve" if of.curve else f"{of.published:.4g}"
    limits = "none" if of.against == "shown" else f"{of.low:.4g} to {of.high:.4g}"
    told = "; ".join([row.verdict.upper() if row.verdict == "fail" else row.verdict, *row.caveats])
    return (of.target, of.title, published, limits, _span(list(row.predicted)), of.unit, told)


def _request(
    model: str,
    *,
    doses: Sequence[dict[str, Any]],
    age: float,
    weight: float,
    sex: str | None,
    ancestry: str | None,
    matrix: str | None,
    interactions: Sequence[str],
    until_h: float,
) -> dict[str, Any]:
    return {
        "model": model,
        "person": {"age_y": age, "weight_kg": weight, "sex": sex, "ancestry": ancestry},
        "doses": list(doses),
        "matrix": matrix,
        "until_h": until_h,
        "scenario": dict(_interaction(words) for words in interactions) or None,
    }


def _interaction(words: str) -> tuple[str, str]:
    name, given, value = words.partition("=")
    if not given:
        raise click.UsageError(f"--scenario {words!r}: write NAME=WORD, as in cyp2b6=inhibited")
    return name, value


class RefusedAsJson(Refused):
    """A refusal for a program that reads JSON: one line of it, as ``ketacore pkpd`` prints it."""

    def show(self, file: Any = None) -> None:
        """Print the line where the answer would have been."""
        click.echo(self.message)


def _answer(request: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    from ketacore.evidence import Refusal
    from ketacore.pkpd.ask import answer

    try:
        return answer(request)
    except Refusal as refusal:
        _refuse(refusal, as_json=as_json)


def _refuse(refusal: Refusal, *, as_json: bool) -> NoReturn:
    """End the command with a refusal, in JSON where JSON was asked for."""
    if as_json:
        told = {"refusal": refusal.refused, "because": "; ".join(refusal.because), "do": refusal.do}
        raise RefusedAsJson(json.dumps(told, ensure_ascii=False))
    refuse(str(refusal))


def _draw(path: Path, request: dict[str, Any], names: Sequence[str], site: str, *, as_json: bool) -> None:
    import numpy as np

    from ketaclinic.pkpd.presenters.plots import curves_of, write_plot
    from ketacore.evidence import Refusal
    from ketacore.pkpd import MODELS, Scenario
    from ketacore.pkpd import simulate as profile_of
    from ketacore.pkpd.ask import person_in, regimen_in
    from ketacore.pkpd.session import session_times

    regimen, person = regimen_in(request["doses"]), person_in(request["person"])
    until = request["until_h"] * 60
    close, _ = session_times(regimen, np.linspace(0, until, POINTS))
    times = close[close <= until]
    scenario: Scenario | None = request["scenario"]
    profiles = [profile_of(MODELS[name], regimen, person, times, scenario=scenario) for name in names]
    analyte = next(iter(profiles[0].concentrations_ng_per_ml))
    analyte = "ketamine" if any("ketamine" in p.concentrations_ng_per_ml for p in profiles) else analyte
    try:
        write_plot(path, curves_of(profiles, analyte), f"Expected {analyte} in plasma{site}", SAYS)
    except Refusal as refusal:
        _refuse(refusal, as_json=as_json)
    click.echo(f"Drawn: {path}", err=True)


def _line(analyte: str, figures: dict[str, Any]) -> tuple[str, ...]:
    band = figures.get("band", {})
    names = ("cmax_ng_per_ml", "tmax_min", "auc_0_24_ng_h_per_ml", "half_life_h")
    return (analyte, *(_span([figures[name], *band.get(name, [])]) for name in names))


def _span(values: list[float]) -> str:
    """Return a figure, or a figure with its band, or a band alone (two values)."""
    words = [f"{float(f'{value:.3g}'):g}" for value in values]
    if len(words) == 3:
        return f"{words[0]} ({words[1]} to {words[2]})"
    return words[0] if len(set(words)) == 1 else f"{words[0]} to {words[1]}"


def _table(lines: Sequence[tuple[tuple[str, ...], bool]]) -> None:
    """Print columns as wide as their longest cell, the head underlined."""
    widths = [max(len(cells[n]) for cells, _ in lines) for n in range(len(lines[0][0]))]
    for cells, is_head in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
        if is_head:
            click.echo("  ".join("-" * width for width in widths))


def _told(reply: dict[str, Any]) -> None:
    grade, lowest = reply["grade"], reply["lowest_grade"]
    graded = f"Grade {grade}" + (f", its weakest part {lowest}" if lowest != grade else "")
    click.echo(f"Models: {', '.join(_all_members(reply))}. {graded}. {SAYS}")
    for note in reply["notes"]:
        click.echo(f"* {note}")
    click.echo(f"Sources: {reply['source']}")
