"""Drug interactions as scenarios: what another medicine does to intrinsic clearance and to the gut wall.

Only a model with a liver of its own flow can answer: elsewhere intrinsic clearance cannot be told from flow.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ketacore.pkpd.individuals import Individuals
from ketacore.pkpd.model import Model
from ketacore.pkpd.refusals import are_all, impossible, not_answered

Scenario = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Interaction:
    """What one scenario changes; ``refused`` says why it has no number."""

    subject: str
    state: str
    note: str = ""
    intrinsic_factor: float = 1.0
    gut_value: float | None = None
    refused: str = ""


def _load() -> dict[tuple[str, str], Interaction]:
    text = (resources.files("ketacore.pkpd") / "data" / "interactions.toml").read_text(encoding="utf-8")
    rows = [Interaction(**row) for row in tomllib.loads(text)["interactions"]]
    return {(row.subject, row.state): row for row in rows}


INTERACTIONS = _load()


def has_liver(model: Model) -> bool:
    """Return whether a model tells intrinsic clearance from liver flow, so that a scenario can act on it."""
    return model.clearance.flow is not None


def under(scenario: Scenario | None, people: Individuals) -> Individuals:
    """Return people as they would be under ``scenario``, e.g. ``{"cyp2b6": "inhibited"}``; None changes nothing.

    Raises ``ImpossibleInput`` for a scenario nobody knows and ``NotAnswered`` for one without a number, or a model
    without the structure.
    """
    for interaction in interactions(scenario):
        if not has_liver(people.model):
            because = f"{people.model.model_id} cannot tell intrinsic clearance from liver flow"
            raise not_answered(because, "Ask perez-ruixo-2021, or leave the scenario out.")
        people = _changed(people, interaction)
    return people


def interactions(scenario: Any) -> list[Interaction]:
    """Return the interactions a scenario names; raises for those unknown or without a number."""
    if scenario is None:
        return []
    if not isinstance(scenario, Mapping) or not are_all(str, (*scenario, *scenario.values())):
        raise impossible("a scenario must name what is inhibited or induced", 'Write {"cyp2b6": "inhibited"}.')
    found = []
    for pair in scenario.items():
        if pair not in INTERACTIONS:
            known = "; ".join(f'{{"{subject}": "{state}"}}' for subject, state in INTERACTIONS)
            raise impossible(f"the scenario {str(dict([pair]))[:80]} is not known", f"Known: {known}.")
        if INTERACTIONS[pair].refused:
            raise not_answered(INTERACTIONS[pair].refused, "Treat the size of this interaction as unknown.")
        found.append(INTERACTIONS[pair])
    return found


def _changed(people: Individuals, interaction: Interaction) -> Individuals:
    changed = people.intrinsic_clearance_times(interaction.intrinsic_factor)
    gut = people.model.gut
    factors = {gut: interaction.gut_value / people.parameters[gut]} if gut and interaction.gut_value else {}
    return changed.changed(factors, interaction.note)
