"""The logic of each screening rule, as a small named predicate; numbers and words come from the rule's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from ketacore.evidence import Fact, Rule, RuleSet, Setting, Truth, any_of, load_rules, no, unknown, yes
from ketacore.screening.facts import CandidateFacts, Medicine
from ketacore.screening.questions import QUESTIONS
from ketacore.screening.recognition import CLASSES, classes_of, named_in_class, recognised
from ketacore.screening.trials import assess_trials

RULES: RuleSet = load_rules("screening")
"""Every screening rule, by id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts together with the setting in which they are asked."""

    facts: CandidateFacts
    setting: Setting


Ask = Callable[[Asked, Rule], Truth]


def _told(words: str, fact: Fact[bool]) -> str:
    return f"{words} ({fact.source})" if fact.source else words


def _has_fact(asked: Asked, name: str) -> Truth:
    fact: Fact[bool] = getattr(asked.facts, name)
    if fact.value is None:
        return unknown(name)
    question = QUESTIONS[name]
    return yes(_told(question.yes, fact)) if fact.value else no(_told(question.no, fact))


def has(*names: str) -> Ask:
    """Return a predicate that fires when any of the yes-or-no facts is present."""

    def ask(asked: Asked, rule: Rule) -> Truth:
        return any_of(_has_fact(asked, name) for name in names)

    return ask


def label_contraindication(name: str) -> Ask:
    """Return ``has(name)``, which outside the US says that the US label speaks and confirmation is open (DEC-03)."""

    def ask(asked: Asked, rule: Rule) -> Truth:
        truth = _has_fact(asked, name)
        if truth.value and not asked.setting.jurisdiction.startswith("US"):
            return yes(*truth.because, "from the US label, confirmation open")
        return truth

    return ask


def too_young(asked: Asked, rule: Rule) -> Truth:
    """Fire below the age the rule names."""
    age = asked.facts.age_years.value
    if age is None:
        return unknown("age_years")
    return Truth(age < rule.number("min_age_years"), (f"Age {age}",))


def _indicated(asked: Asked, rule: Rule) -> Truth:
    indication = asked.facts.indication.value
    if indication is None:
        return unknown("indication")
    words = f"Treatment for: {QUESTIONS['indication'].choices[indication].lower()}"
    return Truth(indication in rule.words("indications"), (words,))


def outside_indications(asked: Asked, rule: Rule) -> Truth:
    """Fire when the treatment is for something the rule does not name."""
    return ~_indicated(asked, rule)


def indicated_without(name: str) -> Ask:
    """Return a predicate that fires for the rule's indication when a companion medicine is not there."""

    def ask(asked: Asked, rule: Rule) -> Truth:
        return _indicated(asked, rule) & ~_has_fact(asked, name)

    return ask


def indicated_but_too_old(asked: Asked, rule: Rule) -> Truth:
    """Fire for the rule's indication at or above the age the rule names."""
    age = asked.facts.age_years.value
    limit = rule.number("below_age_years")
    old = unknown("age_years") if age is None else Truth(age >= limit, (f"Age {age}",))
    return _indicated(asked, rule) & old


def too_few_trials(asked: Asked, rule: Rule) -> Truth:
    """Fire when fewer adequate failed trials are on record than the rule needs; unknown while one is open."""
    trials = asked.facts.trials.value
    if trials is None:
        return unknown("trials")
    assessed = assess_trials(trials, asked.setting)
    needed = int(rule.number("needed_trials"))
    counted = f"{assessed.certain} adequate of {needed} needed"
    if assessed.certain >= needed:
        return no(counted)
    if assessed.possible < needed:
        return yes(counted)
    return Truth(None, (counted, f"open: {', '.join(assessed.open_names)}"), ("trials",))


def resistant_by_few_trials(asked: Asked, rule: Rule) -> Truth:
    """Fire when the indication is treatment resistance and too few trials failed."""
    return _indicated(asked, rule) & too_few_trials(asked, rule)


def pressure_above(asked: Asked, rule: Rule) -> Truth:
    """Fire when the blood pressure is above either limit of the rule."""
    fact = asked.facts.blood_pressure
    if fact.value is None:
        return unknown("blood_pressure")
    high = fact.value.systolic > rule.number("systolic_above_mmhg")
    high = high or fact.value.diastolic > rule.number("diastolic_above_mmhg")
    words = f"Blood pressure {fact.value}"
    return Truth(high, (f"{words} ({fact.source})" if fact.source else words,))


def event_lately(asked: Asked, rule: Rule) -> Truth:
    """Fire when a cardiovascular event lies no longer back than the rule's days; an undated one is unknown."""
    happened = _has_fact(asked, "cardiovascular_event")
    day = asked.facts.cardiovascular_event_on.value
    if not happened.value:
        return happened
    if day is None:
        return Truth(None, happened.because, ("cardiovascular_event_on",))
    recent = asked.setting.on - day <= timedelta(days=rule.number("recent_days"))
    return Truth(recent, (*happened.because, f"on {day.isoformat()}"))


def liver_class(asked: Asked, rule: Rule) -> Truth:
    """Fire when the Child-Pugh class is one the rule names."""
    value = asked.facts.child_pugh.value
    if value is None:
        return unknown("child_pugh")
    return Truth(value in rule.words("classes"), (f"Liver: {QUESTIONS['child_pugh'].choices[value].lower()}",))


def takes(asked: Asked, rule: Rule) -> Truth:
    """Fire when a medicine belongs to a class of the rule; absent only once the list was reviewed by a person."""
    medicines = asked.facts.medicines.value
    if medicines is None:
        return unknown("medicines")
    hits = [_hit(m, c) for m in medicines for c in classes_of(m) if c in rule.words("classes")]
    if hits:
        return yes(*hits)
    if not asked.facts.medicines_reviewed.value:
        return unknown("medicines_reviewed")
    titles = [CLASSES[c].title for c in rule.words("classes")]
    count = f"{len(medicines)} medicine{'' if len(medicines) == 1 else 's'}"
    return no(f"No {', '.join(titles)} among {count} (list checked by hand)")


def _hit(medicine: Medicine, class_id: str) -> str:
    by_list = "" if named_in_class(medicine, class_id) else ", by name recognition list (clinic design)"
    source = f" ({medicine.source})" if medicine.source else ""
    return f"{medicine.name}{source}: {CLASSES[class_id].title}{by_list}"


def takes_or_drinks(asked: Asked, rule: Rule) -> Truth:
    """Fire when a depressant is taken or alcohol is drunk."""
    return takes(asked, rule) | _has_fact(asked, "regular_alcohol")


def unrecognised_medicine(asked: Asked, rule: Rule) -> Truth:
    """Fire when the program does not know one of the medicines by name."""
    medicines = asked.facts.medicines.value
    if medicines is None:
        return unknown("medicines")
    strangers = [m.name for m in medicines if not recognised(m)]
    return Truth(bool(strangers), tuple(f"{name}: not recognised, check by hand" for name in strangers))


def not_written(asked: Asked, rule: Rule) -> Truth:
    """Answer unknown: the record stands here so that its subject is reported, and has no logic yet."""
    return unknown(*rule.needs)


PREDICATES: Mapping[str, Ask] = MappingProxyType(
    {
        "SPR-CI-01": label_contraindication("aneurysmal_disease"),
        "SPR-CI-02": label_contraindication("arteriovenous_malformation"),
        "SPR-CI-03": label_contraindication("intracerebral_haemorrhage"),
        "SPR-CI-04": label_contraindication("hypersensitivity"),
        "SPR-CI-05": event_lately,
        "SPR-CI-05-C": event_lately,
        "IVK-DDI-01": takes,
        "DEC-15": has("hypersensitivity"),
        "IVK-SEL-06-C": has("pressure_rise_risk", "hypersensitivity"),
        "SPR-IND-04": too_young,
        "DEC-01-AGE": too_young,
        "SPR-IND-01": outside_indications,
        "SPR-IND-02": indicated_without("oral_antidepressant"),
        "EU-01-INDICATION": outside_indications,
        "EU-01": indicated_without("ssri_or_snri"),
        "EU-02": indicated_without("oral_antidepressant"),
        "EU-02-AGE": indicated_but_too_old,
        "CH-01": indicated_without("oral_antidepressant"),
        "TRD-01": resistant_by_few_trials,
        "IVK-SEL-01": too_few_trials,
        "TRD-02": not_written,
        "IVK-SEL-04": not_written,
        "SPR-PRE-01": pressure_above,
        "DEC-06": pressure_above,
        "EU-08": pressure_above,
        "SPR-PRE-02": has("pressure_rise_risk"),
        "DEC-05": has("cardiovascular_event", "cardiovascular_disease"),
        "DEC-05-RECENT": event_lately,
        "EU-06": has("cardiovascular_event", "cardiovascular_disease", "psychosis_history"),
        "SPR-PRE-07": has("psychosis_history"),
        "SPR-PRE-07-MISUSE": has("substance_misuse"),
        "SPR-PRE-08": has("hypertensive_encephalopathy"),
        "SPR-W-09": has("pregnant"),
        "SPR-W-09-BREASTFEEDING": has("breastfeeding"),
        "EU-09": has("pregnant"),
        "EU-09-BREASTFEEDING": has("breastfeeding"),
        "SPR-MON-09": liver_class,
        "SPR-MON-09-MODERATE": liver_class,
        "SPR-DDI-01": takes_or_drinks,
        "SPR-DDI-02": takes,
        "SPR-DDI-03": takes,
        "SPR-DDI-04": takes,
        "SPR-DDI-05": takes,
        "SPR-DDI-05-C": not_written,
        "SPR-DDI-06": takes,
        "SPR-DDI-08": takes,
        "IVK-DDI-02": takes,
        "IVK-DDI-03": takes,
        "IVK-DDI-04": takes,
        "IVK-DDI-05": takes,
        "IVK-DDI-07": takes,
        "IVK-DDI-08": takes,
        "IVK-DDI-09": takes,
        "IVK-DDI-10": takes,
        "IVK-DDI-11": takes,
        "IVK-SEL-05-PSYCHOSIS": has("psychosis_or_mania_now"),
        "IVK-SEL-05-PREGNANCY": has("pregnant", "breastfeeding"),
        "IVK-SEL-05-HEART": has("cardiovascular_event", "cardiovascular_disease"),
        "IVK-SEL-05-SUBSTANCE": has("recent_drug_use"),
        "DEC-01-PREGNANCY": has("pregnant"),
        "DEC-01-BREASTFEEDING": has("breastfeeding"),
        "IVK-MON-04-SCREENING": pressure_above,
        "DEC-16": unrecognised_medicine,
        "IVK-SEL-02": not_written,
        "IVK-SEL-03": not_written,
        "IVK-SEL-07": not_written,
        "IVK-SEL-10": not_written,
    }
)
"""The predicate of each rule that asks something; records without one inform or hold a parameter."""
