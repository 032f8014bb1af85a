"""The steps of the pathway, as people take them on the pages. Each leaves the page where the step ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

from django.urls import reverse
from playwright.sync_api import APIResponse, Locator, Page, expect

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.policy.actions import sign_policy
from ketacore.evidence import Grade
from ketacore.screening import QUESTIONS
from ketacore.treatment.questions import questions_of
from tests.support.browser import accessibility_faults
from tests.support.clock import Clock
from tests.support.tree import all_rules

YES_IS_WELL = {"oral_antidepressant", "ssri_or_snri", "medicines_reviewed"}
CHOSEN = {"indication": "TRD", "child_pugh": "none"}
TRIALS = [("Sertraline", "200", "2025-02-03", "2025-06-30"), ("Venlafaxine XR", "225", "2025-07-07", "2026-01-12")]


@dataclass(frozen=True, slots=True)
class People:
    """Who walks: the pages of a prescriber and a nurse, and the clock both live by."""

    prescriber: Page
    nurse: Page
    clock: Clock

    def go(self, page: Page, name: str, *args: object, query: str = "") -> Page:
        """Open a page at the clinic's time; what the browser's clock says follows it."""
        page.clock.set_fixed_time(self.clock.at)
        answer = page.goto(reverse(name, args=args) + query)
        assert answer is not None and answer.status == 200, f"{page.url} answered {answer and answer.status}"
        return page

    def look(self, page: Page) -> None:
        """Check what a screen reader, a keyboard and this person's own screen would meet here."""
        faults = accessibility_faults(page)
        assert faults == [], f"{page.url}:\n" + "\n".join(faults)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 1, f"{page.url}: {too_wide} px wider than the screen"


def sign_policies(director: Staff, clock: Clock) -> None:
    """Let the medical director sign every clinic policy of the software."""
    for _, rule in all_rules():
        if rule.grade is Grade.D:
            sign_policy(rule=rule, by=director, at=clock.at)


def import_record(people: People, file: Path, clinic: Clinic) -> Patient:
    """Send a record from another system, and follow the link to the person it made."""
    page = people.go(people.nurse, "fhir:import")
    people.look(page)
    page.get_by_label("FHIR R4 bundle").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Stored in the record of")).to_be_visible(timeout=30_000)
    people.look(page)
    patient: Patient = Patient.objects.of(clinic).latest("pk")
    return patient


def answer_screening(people: People, patient: Patient) -> None:
    """Measure, add what was tried, and answer every question: the nurse what she may, the prescriber the rest."""
    nurse = people.go(people.nurse, "screening:patient", patient.pk)
    people.look(nurse)
    _fill(people.go(nurse, "screening:add", patient.pk, "pressure"), {"Upper number": "124", "Lower number": "78"})
    for drug, dose, first, last in TRIALS:
        _fill(
            people.go(nurse, "screening:add", patient.pk, "trial"),
            {
                "Drug, with XR, SR or XL if so": drug,
                "Highest daily dose": dose,
                "First day": first,
                "Last day": last,
                "Effect": "No response",
                "Why stopped": "Lack of effect",
                "Taken as agreed": "Adequate",
                "In the current episode": "yes",
                "Who says so": "Records",
            },
            look=people,
        )
    for page in (nurse, people.prescriber):
        people.go(page, "screening:patient", patient.pk)
        _answer_all(page)
    people.look(people.prescriber)


def _fill(page: Page, values: dict[str, str], look: People | None = None) -> None:
    if look is not None:
        look.look(page)
    for label, value in values.items():
        field = page.get_by_label(label, exact=False).first
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").or_(page.locator(".messages")).first).to_contain_text("saved", ignore_case=True)


def _answer_all(page: Page) -> None:
    forms = page.locator("#unknown .ask form")
    for _ in range(2 * len(QUESTIONS)):
        if forms.count() == 0:
            return
        form = forms.first
        fact = form.locator("input[name=question]").input_value()
        _answer(form, fact)
        expect(page.locator(f"#ask-{fact} form")).to_have_count(0)
    raise AssertionError(f"questions that stay open: {page.locator('#unknown .ask').all_inner_texts()}")


def _answer(form: Locator, fact: str) -> None:
    if fact in CHOSEN:
        form.get_by_role("combobox").select_option(CHOSEN[fact])
        form.get_by_role("button", name="Save").click()
    elif QUESTIONS[fact].kind == "yes_no":
        form.get_by_role("button", name="Yes" if fact in YES_IS_WELL else "No", exact=True).click()
    else:
        form.get_by_role("button", name="Not known").click()


def decide_to_treat(people: People, patient: Patient, product: str) -> None:
    """Let the prescriber decide, giving a reason for each finding that asks for one."""
    page = people.go(people.prescriber, "screening:patient", patient.pk, query=f"?product={product}")
    decide = page.locator("#decide")
    decide.get_by_label("Treat", exact=True).check()
    decide.get_by_label("Reason", exact=True).fill("Two adequate trials without response; benefit expected.")
    for field in decide.locator("input[name^=pass_]").all():
        field.fill("Weighed with the patient; acceptable under supervision.")
    decide.get_by_role("button", name="Keep the decision").click()
    expect(page.locator("#decide")).to_contain_text("Decided so far")
    people.look(page)


def sign_off_texts(people: People) -> None:
    """Let the medical director read and sign off the consent texts that ship with the software."""
    page = people.go(people.prescriber, "consent:texts")
    people.look(page)
    while (forms := page.locator("form", has=page.locator("input[name=read]"))).count():
        before = forms.count()
        forms.first.locator("input[name=read]").check()
        forms.first.get_by_role("button", name="Sign off").click()
        expect(forms).to_have_count(before - 1)


def take_consent(people: People, patient: Patient, product: str) -> None:
    """Take the patient's signature after every point was said back."""
    page = people.go(people.prescriber, "consent:patient", patient.pk, query=f"?product={product}")
    people.look(page)
    sign = page.locator("#sign")
    for box in sign.get_by_role("checkbox").all():
        box.check()
    sign.get_by_label("No", exact=True).check()
    sign.get_by_label(re.compile("patient's name", re.IGNORECASE)).fill(str(patient))
    sign.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("has signed")).to_be_visible()
    people.look(page)
    page.get_by_role("link", name="The patient's copy").click()
    people.look(page)


def sign_plan(people: People, patient: Patient, protocol: str, starts_on: date) -> None:
    """Choose a protocol, look at the dated series, sign it, and book it."""
    page = people.go(people.prescriber, "planning:patient", patient.pk)
    people.look(page)
    people.go(page, "planning:patient", patient.pk, query=f"?protocol={protocol}")
    people.look(page)
    page.get_by_label("First day").fill(starts_on.isoformat())
    confirmed = page.get_by_label("The weight was confirmed with the patient")
    if confirmed.count():
        confirmed.check()
    page.get_by_role("button", name=re.compile("^Sign")).click()
    expect(page.get_by_text("is signed")).to_be_visible()
    people.look(page)
    page.get_by_role("button", name=re.compile("^Book")).first.click()
    expect(page.get_by_text("booked", exact=False).first).to_be_visible()
    people.look(page)


def open_session(people: People, patient: Patient, product: str, chair: int) -> int:
    """Open today's session on a free chair and return its number; where REMS asks for it, enrol first."""
    page = people.go(people.nurse, "treatment:open", patient.pk)
    people.look(page)
    if product == "esketamine-nasal":
        page.get_by_label("REMS", exact=True).select_option("yes")
        page.get_by_label("On", exact=True).fill(people.clock.at.date().isoformat())
        page.get_by_role("button", name="Record the enrolment").click()
        expect(page.locator("main")).not_to_contain_text("The start gate stays closed without it")
    page.get_by_label("Chair").select_option(str(chair))
    confirmed = page.get_by_label("I confirm the weight on record")
    if confirmed.count():
        confirmed.check()
    page.get_by_role("button", name=re.compile("^Open")).click()
    page.wait_for_url(re.compile(r"/treatment/session/\d+/"))
    people.look(page)
    found = re.search(r"/session/(\d+)/", page.url)
    assert found is not None
    return int(found.group(1))


@dataclass(frozen=True, slots=True)
class AtTheChair:
    """One session screen in the nurse's hands."""

    people: People
    session: int
    product: str

    @property
    def page(self) -> Page:
        return self.people.nurse

    def at_minute(self, minutes: float) -> None:
        """Let time pass, and look at the screen again."""
        self.people.clock.pass_minutes(minutes)
        self.people.go(self.page, "treatment:session", self.session)

    def check_in(self) -> None:
        self.page.get_by_role("button", name="Check in").click()
        expect(self.page.get_by_role("button", name="Check in")).to_have_count(0)

    def answer(self, gate: str, prefix: str) -> None:
        """Answer every question of one gate the way that lets it open."""
        for question in questions_of(self.product, gate):
            button = self.page.locator(f"#{prefix}-{question.question}-{question.opens.value}")
            button.click()
            expect(button).to_have_attribute("aria-pressed", "true")

    def measure(self, pressure: str, *, moaas: int = 5, dissociation: str = "none") -> None:
        """Fill the pad and save it."""
        systolic, diastolic = pressure.split("/")
        values = {"systolic": systolic, "diastolic": diastolic, "heart_rate": "72"}
        for name, value in {**values, "oxygen_saturation": "98", "respiratory_rate": "14"}.items():
            self.page.locator(f"#{name}").fill(value)
        self.page.locator(f"#moaas-{moaas}").check(force=True)
        self.page.locator(f"#diss-{dissociation}").check(force=True)
        self.page.locator("#save").click()
        expect(self.page.locator("#systolic")).to_have_value("")

    def give_device(self, number: int) -> None:
        form = self.page.locator("#dosing form", has=self.page.locator("input[name=kind][value=device]"))
        form.get_by_label("Lot").fill("SYN-0042")
        form.get_by_label("Expiry").fill("2028-01-31")
        for box in form.get_by_role("checkbox").all():
            box.check()
        form.get_by_role("button", name=f"Device {number} given now").click()
        expect(self.page.get_by_role("button", name=f"Device {number} given now")).to_have_count(0)

    def start_infusion(self) -> None:
        form = self.page.locator("#dosing form")
        form.get_by_label("Lot").fill("SYN-0077")
        form.get_by_label("Expiry").fill("2028-01-31")
        form.get_by_role("button", name="Infusion started now").click()
        expect(self.page.locator("#inf-end")).to_be_visible()

    def end_infusion(self) -> None:
        self.page.locator("#inf-end").click()
        expect(self.page.locator("#inf-end")).to_have_count(0)

    def escort_is_here(self, name: str) -> None:
        self.page.locator("#escort").fill(name)
        self.page.locator("#escort-here").click()
        expect(self.page.locator("#leaving")).to_contain_text("here")

    def ask_for_the_dose(self) -> APIResponse:
        """Send what the page has no button for yet: the dose, before the start gate is passed."""
        form = self.page.locator("#start form").first
        kind = "device" if self.product == "esketamine-nasal" else "infusion_start"
        sent = {
            "csrfmiddlewaretoken": form.locator("input[name=csrfmiddlewaretoken]").input_value(),
            "kind": kind,
            "entry_key": "too-early",
            "number": "1",
            "lot": "SYN-0042",
            "expires_on": "2028-01-31",
            "rate_mg_per_min": "1",
            "planned_min": "40",
        }
        to = self.page.evaluate("path => new URL(path, location.href).href", form.get_attribute("action"))
        return self.page.request.post(to, form=sent, headers={"Referer": self.page.url, "Idempotency-Key": uuid4().hex})

    def try_to_leave_too_early(self) -> str:
        """Press "leaves now" and return what the refusal says."""
        self.page.watch.expect(409)  # type: ignore[attr-defined]
        self.page.locator("#discharge").click()
        refused = self.page.locator(".card.stop[role=alert]")
        expect(refused).to_contain_text("not done")
        return refused.inner_text()


def answer_scale(people: People, patient: Patient, instrument: str, answers: dict[int, int]) -> None:
    """Fill one form, number by number, and save it."""
    page = people.go(people.nurse, "followup:answer", patient.pk, instrument)
    people.look(page)
    for number, value in answers.items():
        page.locator(f"#q{number} input[value='{value}']").check(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/followup/\d+/$|/followup/form/\d+/$|/followup/alert/\d+/$"))
    people.look(page)


def take_alert(people: People, patient: Patient) -> None:
    """Let the prescriber find the alert in the list, open it and take it."""
    page = people.go(people.prescriber, "followup:alerts")
    people.look(page)
    page.locator("a[href^='/followup/alert/']").first.click()
    people.look(page)
    page.get_by_role("button", name="I take it").click()
    expect(page.get_by_role("button", name="I take it")).to_have_count(0)
    people.look(page)
