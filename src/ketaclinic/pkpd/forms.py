"""What a reader may try out on the page that explains: a way in, a dose, how long, and the moment looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from ketacore.pkpd import DoseEvent, Drug, Regimen, Route

LOOKED_UNTIL_MIN = 480
USUAL_INFUSION_MIN = 40


@dataclass(frozen=True, slots=True)
class Way:
    """A way in that a published model answers; doses as they were studied, for a person of 70 kg."""

    label: str
    drug: Drug
    route: Route
    low_mg: float
    high_mg: float
    step_mg: float
    usual_mg: float
    studied: str


WAYS: Mapping[str, Way] = {
    "nasal": Way(
        "Esketamine nasal spray", Drug.ESKETAMINE, Route.NASAL, 28, 84, 28, 84, "28, 56 and 84 mg (Perez-Ruixo 2021)"
    ),
    "infusion": Way("Ketamine infusion", Drug.KETAMINE, Route.IV, 7, 70, 3.5, 35, "0.1 to 1 mg/kg (Fava 2020)"),
    "film": Way(
        "Esketamine film in the mouth", Drug.ESKETAMINE, Route.FILM, 50, 100, 50, 50, "50, 100 mg (Simons 2022)"
    ),
    "swallowed": Way(
        "Esketamine swallowed",
        Drug.ESKETAMINE,
        Route.ORAL,
        14,
        84,
        14,
        84,
        "0.2 mg/kg to 84 mg (Peltoniemi, Perez-Ruixo)",
    ),
}


class _Slider(forms.NumberInput):
    input_type = "range"


def _slider(low: float, high: float, step: float) -> _Slider:
    return _Slider(attrs={"min": f"{low:g}", "max": f"{high:g}", "step": f"{step:g}"})


class ExploreForm(forms.Form):
    """The sliders. Whatever is left out has its usual value; another way in has other doses."""

    way = forms.ChoiceField(
        label="What is given", choices=[(name, way.label) for name, way in WAYS.items()], widget=forms.RadioSelect
    )
    dose_mg = forms.FloatField(label="Dose")
    lasting_min = forms.IntegerField(label="Over", min_value=2, max_value=120, step_size=2, widget=_slider(2, 120, 2))
    look_min = forms.IntegerField(
        label="Look at", min_value=0, max_value=LOOKED_UNTIL_MIN, step_size=10, widget=_slider(0, LOOKED_UNTIL_MIN, 10)
    )

    def __init__(self, asked: Mapping[str, Any]) -> None:
        name = asked.get("way", "nasal")
        self.chosen = WAYS.get(name, WAYS["nasal"])
        usual = {"way": "nasal", "dose_mg": self.chosen.usual_mg, "lasting_min": USUAL_INFUSION_MIN, "look_min": 40}
        of_another = asked.get("dose_of", name) != name  # a page without scripts sends the dose of the way before
        kept = {} if of_another else asked
        super().__init__({**{key: kept.get(key) or value for key, value in usual.items()}, "way": name})
        chosen = self.chosen
        self.fields["dose_mg"] = forms.FloatField(
            label="Dose",
            min_value=chosen.low_mg,
            max_value=chosen.high_mg,
            step_size=chosen.step_mg,
            widget=_slider(chosen.low_mg, chosen.high_mg, chosen.step_mg),
        )
        if chosen.route is not Route.IV:
            self.fields["lasting_min"].widget = forms.HiddenInput()

    def regimen(self) -> Regimen:
        """Return what was chosen; only where the form is valid."""
        way, asked = self.chosen, self.cleaned_data
        lasting = asked["lasting_min"] if way.route is Route.IV else 0
        return Regimen((DoseEvent(way.drug, way.route, asked["dose_mg"], duration_min=lasting),))
