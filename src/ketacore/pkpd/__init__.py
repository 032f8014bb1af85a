"""Pharmacokinetics of ketamine and esketamine: published models as data, one exact engine, people and regimens in.

Every number carries its source and grade; arterial and venous never mix; what no published model answers is refused.
Only this room of the core needs NumPy.
"""

from ketacore.pkpd.bands import Band, Basis, Span
from ketacore.pkpd.constants import SOURCES
from ketacore.pkpd.dissociation import Dissociation, dissociation, intensity_at
from ketacore.pkpd.effect_site import delayed
from ketacore.pkpd.effects import Effects, Plasma, effects_of
from ketacore.pkpd.ensemble import Ensemble, Member, ensemble, members
from ketacore.pkpd.expected import Expected, expected
from ketacore.pkpd.exposure import Exposure, exposure
from ketacore.pkpd.fit import Fit, Samples, fit
from ketacore.pkpd.incidence import Incidence, Noticed, incidence
from ketacore.pkpd.individuals import Individuals, population, typical, with_effects
from ketacore.pkpd.interactions import INTERACTIONS, Interaction, Scenario
from ketacore.pkpd.loading import MODELS, ModelDataError, parse_model
from ketacore.pkpd.mechanism import Arms, arms
from ketacore.pkpd.model import MOLAR_MASS, Matrix, Model
from ketacore.pkpd.occupancy import Occupancy, occupancy
from ketacore.pkpd.pressure import Haemodynamics, Rise, haemodynamics
from ketacore.pkpd.refusals import ImpossibleInput, MatrixMismatch, NotAnswered
from ketacore.pkpd.regimen import Ancestry, DoseEvent, Drug, Person, Regimen, Route, Sex
from ketacore.pkpd.simulate import S_OVER_R, S_OVER_R_FLOOR, Profile, check_comparable, simulate
from ketacore.pkpd.unanswered import OnLabel, Unanswered

__all__ = [
    "INTERACTIONS",
    "MODELS",
    "MOLAR_MASS",
    "SOURCES",
    "S_OVER_R",
    "S_OVER_R_FLOOR",
    "Ancestry",
    "Arms",
    "Band",
    "Basis",
    "Dissociation",
    "DoseEvent",
    "Drug",
    "Effects",
    "Ensemble",
    "Expected",
    "Exposure",
    "Fit",
    "Haemodynamics",
    "ImpossibleInput",
    "Incidence",
    "Individuals",
    "Interaction",
    "Matrix",
    "MatrixMismatch",
    "Member",
    "Model",
    "ModelDataError",
    "NotAnswered",
    "Noticed",
    "Occupancy",
    "OnLabel",
    "Person",
    "Plasma",
    "Profile",
    "Regimen",
    "Rise",
    "Route",
    "Samples",
    "Scenario",
    "Sex",
    "Span",
    "Unanswered",
    "arms",
    "check_comparable",
    "delayed",
    "dissociation",
    "effects_of",
    "ensemble",
    "expected",
    "exposure",
    "fit",
    "haemodynamics",
    "incidence",
    "intensity_at",
    "members",
    "occupancy",
    "parse_model",
    "population",
    "simulate",
    "typical",
    "with_effects",
]
