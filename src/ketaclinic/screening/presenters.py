"""The screening page and the chart card as values a template can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ketaclinic.people.models import Patient
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening import queries
from ketaclinic.screening.facts import facts_of, medicine_fact
from ketaclinic.screening.models import (
    PRODUCTS,
    Allergy,
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
)
from ketaclinic.screening.queries import History
from ketacore.evidence import Decision, Effect, Finding, Known, Setting, Standing, State, standing
from ketacore.screening import (
    QUESTIONS,
    CandidateFacts,
    Question,
    TreatNeeds,
    TrialResult,
    assess_candidacy,
    assess_trials,
    classes_of,
    facts_of_problem,
    recognised,
    what_treating_needs,
)
from ketacore.screening.recognition import CLASSES
from ketacore.screening.trials import DOUBTFUL, WHOLE_TRIAL

SHORT = {"esketamine-nasal": "nasal", "ketamine-iv": "IV"}
_USE = {"esketamine-nasal": "on label", "ketamine-iv": "off-label"}
_ICON = {"esketamine-nasal": "nasal", "ketamine-iv": "drip"}


@dataclass(frozen=True, slots=True)
class Assessed:
    """One product assessed: the decision of the core and what treating would need."""

    product: str
    decision: Decision
    needs: TreatNeeds

    def active(self, finding: Finding) -> bool:
        """Return whether the rule of a finding stands, rather than being disabled or unsigned."""
        return standing(finding.rule, self.decision.setting) is Standing.ACTIVE

    @property
    def stops(self) -> list[Finding]:
        """Contraindications that fired."""
        return [f for f in self.decision.fired if f.rule.effect is Effect.HARD_STOP]

    @property
    def cautions(self) -> list[Finding]:
        """Everything else that fired, what needs a reason first."""
        rest = [f for f in self.decision.fired if f.rule.effect is not Effect.HARD_STOP]
        return sorted(rest, key=lambda f: not f.rule.effect.stops)

    @property
    def open(self) -> list[Finding]:
        """Rules in force that could not be checked."""
        return [f for f in self.decision.not_evaluated if self.active(f)]

    @property
    def open_facts(self) -> list[str]:
        """Names of the facts they lack, each once."""
        return list(dict.fromkeys(name for f in self.open for name in f.missing))


@dataclass(frozen=True, slots=True)
class Count:
    """One number on a product card."""

    number: int
    word: str
    css: str


@dataclass(frozen=True, slots=True)
class ProductCard:
    """What the rules say about one product, in one glance."""

    product: str
    name: str
    use: str
    icon: str
    mark: str
    verdict: str
    note: str
    css: str
    counts: tuple[Count, ...]
    decided: CandidacyDecision | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A finding with the products it concerns and what passing it would take."""

    finding: Finding
    tag: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A fact nobody has told yet, as a question that can be answered in place."""

    question: Question
    note: str
    rules: tuple[str, ...]
    asked: HistoryAnswer | None
    open_again: bool
    may_answer: bool
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MedicineLine:
    """A medicine and what the program recognises in it."""

    row: Medication
    classes: tuple[str, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer that was given."""

    row: HistoryAnswer
    ask: str
    words: str
    may_change: bool


@dataclass(frozen=True, slots=True)
class TrialLine:
    """A trial, whether it counts, and why."""

    row: AntidepressantTrial
    result: TrialResult
    weeks: int | None
    mark: str
    word: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class TrialsPanel:
    """All trials with the number that counts."""

    lines: tuple[TrialLine, ...]
    certain: int
    possible: int
    could: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The screening page of one patient."""

    cards: tuple[ProductCard, ...]
    stops: tuple[Line, ...]
    cautions: tuple[Line, ...]
    questions: tuple[OpenQuestion, ...]
    gaps: tuple[Line, ...]
    fine: tuple[str, ...]
    trials: TrialsPanel
    medicines: tuple[MedicineLine, ...]
    problems: tuple[Problem, ...]
    refuted: tuple[Problem, ...]
    allergies: tuple[Allergy, ...]
    refuted_allergies: tuple[Allergy, ...]
    answers: tuple[AnswerLine, ...]
    chosen: Assessed
    unasked: tuple[str, ...]
    decisions: tuple[CandidacyDecision, ...]


def assessed(history: History, products: Iterable[str] = PRODUCTS) -> tuple[CandidateFacts, tuple[Assessed, ...]]:
    """Return the facts and the assessment for each product, the signed policies read once."""
    facts = facts_of(history)
    setting = setting_of(history.patient.clinic, history.at)
    return facts, tuple(_assess(facts, setting, product) for product in products)


def _assess(facts: CandidateFacts, setting: Setting, product: str) -> Assessed:
    decision = assess_candidacy(facts, Setting(setting.jurisdiction, setting.on, product, setting.policies))
    return Assessed(product, decision, what_treating_needs(decision, facts))


def page(history: History, *, product: str, may_record: bool, may_decide: bool) -> Page:
    """Return the page; ``product`` is the one the decision panel speaks of."""
    facts, both = assessed(history)
    decisions = tuple(queries.decisions(history.patient, history.at))
    chosen = next(a for a in both if a.product == product)
    return Page(
        cards=tuple(_card(a, decisions, chosen=a is chosen) for a in both),
        stops=_lines(both, lambda a: a.stops),
        cautions=_lines(both, lambda a: a.cautions),
        questions=_questions(both, facts, history, may_record=may_record, may_decide=may_decide),
        gaps=_lines(both, lambda a: [f for f in a.decision.not_evaluated if not a.active(f)]),
        fine=_fine(both),
        trials=_trials(history, facts, chosen.decision.setting),
        medicines=tuple(_medicine(row) for row in history.medications),
        problems=tuple(p for p in history.problems if facts_of_problem(p.display, active=True)),
        refuted=tuple(history.refuted),
        allergies=tuple(history.allergies),
        refuted_allergies=tuple(history.refuted_allergies),
        answers=tuple(_told(row, may_record, may_decide) for row in history.answers.values()),
        chosen=chosen,
        unasked=tuple(QUESTIONS[name].ask for name in chosen.needs.unasked),
        decisions=decisions,
    )


def _card(one: Assessed, decisions: Iterable[CandidacyDecision], *, chosen: bool) -> ProductCard:
    mark, verdict, note = _verdict(one)
    return ProductCard(
        product=one.product,
        name=PRODUCTS[one.product],
        use=_USE[one.product],
        icon=_ICON[one.product],
        mark=mark,
        verdict=verdict,
        note=note,
        css="stop" if one.stops else "",
        counts=_counts(one),
        decided=next((d for d in decisions if d.product == one.product), None),
        chosen=chosen,
    )


def _counts(one: Assessed) -> tuple[Count, ...]:
    stops, cautions, unknown = len(one.stops), len(one.cautions), len(one.open_facts)
    return (
        Count(stops, "stop" if stops == 1 else "stops", "bad" if stops else "zero"),
        Count(cautions, "caution" if cautions == 1 else "cautions", "" if cautions else "zero"),
        Count(unknown, "unknown", "" if unknown else "zero"),
        Count(len(one.decision.clear), "fine", ""),
    )


def _verdict(one: Assessed) -> tuple[str, str, str]:
    unknown = len(one.open_facts)
    could = f"{_many(unknown, 'fact')} could change this." if unknown else "Every rule in force was checked."
    if one.stops:
        return (
            "stop",
            f"Stop: {_first(one.stops)}",
            f"{one.stops[0].rule.text.split('. ')[0].rstrip('.')}. {_more(one)}",
        )
    if one.decision.outcome == "cannot_decide":
        return "unknown", "Cannot be decided yet", f"No stop so far. {could}"
    weigh = [f for f in one.cautions if f.rule.effect.stops]
    if weigh:
        return (
            "caution",
            f"Weigh first: {_first(weigh)}",
            f"{_many(len(weigh), 'finding')} to treat against with a reason.",
        )
    if one.decision.outcome == "caution":
        return "note", "No stop, something to watch", could
    return "fine", "Nothing speaks against it", could


def _more(one: Assessed) -> str:
    return (
        f"{_many(len(one.open_facts), 'fact')} missing as well." if one.open_facts else "Could change if the fact does."
    )


def _first(findings: list[Finding]) -> str:
    title = findings[0].rule.title
    more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
    return title[0].lower() + title[1:] + more if not title[:2].isupper() else title + more


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _lines(both: Iterable[Assessed], pick: object) -> tuple[Line, ...]:
    """Merge the findings of both products: a rule that concerns both stands once."""
    found: dict[str, tuple[Finding, list[Assessed]]] = {}
    for one in both:
        for finding in pick(one):  # type: ignore[operator]
            found.setdefault(finding.rule.rule_id, (finding, []))[1].append(one)
    ordered = sorted(found.values(), key=lambda pair: not pair[0].rule.effect.stops)
    return tuple(Line(finding, _tag(finding, ones)) for finding, ones in ordered)


def _tag(finding: Finding, ones: list[Assessed]) -> str:
    where = "both" if len(ones) > 1 else f"{SHORT[ones[0].product]} only"
    if finding.state is not State.FIRED or not finding.rule.effect.stops:
        return where
    if any(finding in one.needs.barred for one in ones):
        return f"{where} · cannot be passed"
    second = " and a second signature" if finding.rule.override.second_signoff else ""
    return f"{where} · needs a reason{second}"


def _questions(
    both: tuple[Assessed, ...], facts: CandidateFacts, history: History, *, may_record: bool, may_decide: bool
) -> tuple[OpenQuestion, ...]:
    lacking: dict[str, list[tuple[Assessed, Finding]]] = {}
    for one in both:
        for finding in one.open:
            for name in finding.missing:
                lacking.setdefault(name, []).append((one, finding))
    first = sorted(lacking, key=lambda name: min(list(Effect).index(f.rule.effect) for _, f in lacking[name]))
    return tuple(
        OpenQuestion(
            question=QUESTIONS[name],
            note=_concern(name, lacking[name]),
            rules=tuple(dict.fromkeys(f.rule.rule_id for _, f in lacking[name]))[:4],
            asked=_asked(name, facts, history),
            open_again=getattr(facts, name).state is Known.NOT_ASKED,
            may_answer=may_decide if QUESTIONS[name].of == "prescriber" else may_record,
            options=_options(QUESTIONS[name]),
        )
        for name in first
    )


def _concern(name: str, lacking: list[tuple[Assessed, Finding]]) -> str:
    products = " and ".join(dict.fromkeys(SHORT[one.product] for one, _ in lacking))
    if name == "trials" and any(f.because for _, f in lacking):
        return f"Trials on record leave it open. Concerns {products}"
    hard = [SHORT[one.product] for one, f in lacking if f.rule.effect is Effect.HARD_STOP]
    if hard and QUESTIONS[name].kind == "yes_no" and name != "medicines_reviewed":
        return f"A yes would stop {' and '.join(dict.fromkeys(hard))}"
    return f"Concerns {products}"


def _asked(name: str, facts: CandidateFacts, history: History) -> HistoryAnswer | None:
    """Return the answer that was given and does not settle it: only a change with a reason can.

    A day that was answered is open again once an event without a day came in after the answer.
    """
    state = getattr(facts, name).state
    question = "medicines_reviewed" if name == "medicines" else name
    open_again = state is Known.NOT_ASKED and QUESTIONS[question].kind == "date"
    return history.answers.get(question) if state is Known.ASKED_NOT_KNOWN or open_again else None


def _options(question: Question) -> tuple[tuple[str, str], ...]:
    if question.kind == "choice":
        return tuple(question.choices.items())
    return (("yes", "Yes"), ("no", "No"))


def _fine(both: Iterable[Assessed]) -> tuple[str, ...]:
    said = [line for one in both for f in one.decision.clear for line in _clear_words(f)]
    return tuple(dict.fromkeys(said))


def _clear_words(finding: Finding) -> tuple[str, ...]:
    return tuple(text.split(" (")[0] for text in finding.because) or (f"Not: {finding.rule.title.lower()}",)


def _medicine(row: Medication) -> MedicineLine:
    medicine = medicine_fact(row)
    return MedicineLine(row, tuple(CLASSES[c].title for c in classes_of(medicine)), recognised(medicine))


def _told(row: HistoryAnswer, may_record: bool, may_decide: bool) -> AnswerLine:
    question = QUESTIONS[row.question]
    words = question.choices.get(row.value, row.value) or row.get_answer_display()
    return AnswerLine(row, question.ask, words, may_decide if question.of == "prescriber" else may_record)


def _trials(history: History, facts: CandidateFacts, setting: Setting) -> TrialsPanel:
    counted = assess_trials(facts.trials.value or (), setting)
    lines = tuple(_trial(row, result) for row, result in zip(history.trials, counted.results, strict=True))
    open_ = ", ".join(counted.open_names)
    could = f"could become {counted.possible} if {open_} is settled" if counted.possible > counted.certain else ""
    whole = any(WHOLE_TRIAL in result.notes for result in counted.results)
    return TrialsPanel(lines, counted.certain, counted.possible, could, whole)


def _trial(row: AntidepressantTrial, result: TrialResult) -> TrialLine:
    days = result.trial.days_at_dose if result.trial.days_at_dose is not None else result.trial.days
    mark, word = {True: ("check", "yes"), False: ("cross", "no"), None: ("", "unknown")}[result.counts]
    return TrialLine(row, result, None if days is None else days // 7, mark, word, DOUBTFUL in result.notes)


@dataclass(frozen=True, slots=True)
class ChartCard:
    """Screening on the chart: what was decided, or what is missing."""

    title: str
    lines: tuple[str, ...]
    badge: str
    badge_kind: str


_BADGE = {"treat": "on", "wait": "unsure", "decline": "line"}


def chart_card(patient: Patient, at: object) -> ChartCard | None:
    """Return the newest decision for each product; without one, that nobody has decided."""
    newest: dict[str, CandidacyDecision] = {}
    for row in queries.decisions(patient, at):  # type: ignore[arg-type]
        newest.setdefault(row.product, row)
    if not newest:
        return ChartCard("Screening", ("Nobody has decided yet.",), "Open", "unsure")
    lines = tuple(
        f"{row.get_verdict_display()}: {PRODUCTS[row.product]}. {row.reason} ({row.recorded_by.display_name})"
        for row in newest.values()
    )
    first = next(iter(newest.values()))
    return ChartCard("Screening", lines, first.get_verdict_display(), _BADGE[first.verdict])
