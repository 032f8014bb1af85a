"""Pages of this room: the findings of one patient, and the forms that add to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Permission, Role, requires
from ketaclinic.people.queries import staff_with_role
from ketaclinic.people.seen import edits
from ketaclinic.screening import actions, forms, presenters, queries
from ketaclinic.screening.models import PRODUCTS, AntidepressantTrial
from ketacore.evidence import Refusal


def _patient(request: HttpRequest, pk: int) -> Patient:
    return queries.candidate_in(request.clinic, pk, request.at)  # type: ignore[attr-defined]


def _page_of(patient: Patient, product: str = "", anchor: str = "") -> str:
    url = reverse("screening:patient", args=[patient.pk])
    return f"{url}{f'?product={product}' if product else ''}{f'#{anchor}' if anchor else ''}"


def _context(
    request: HttpRequest, patient: Patient, product: str, form: forms.DecisionForm | None = None
) -> dict[str, Any]:
    staff: Staff = request.staff  # type: ignore[attr-defined]
    history = queries.history_of(patient, request.at)  # type: ignore[attr-defined]
    page = presenters.page(
        history,
        product=product,
        may_record=staff.may(Permission.RECORD_HISTORY),
        may_decide=staff.may(Permission.DECIDE_CANDIDACY),
    )
    forms.keep_shown(request, history, page.decisions)
    if form is None and staff.may(Permission.DECIDE_CANDIDACY):
        form = _decision_form(staff, page.chosen, initial={"product": product})
    return {
        "patient": patient,
        "age": patient.age_on(patient.clinic.day_of(request.at)),  # type: ignore[attr-defined]
        "page": page,
        "product": product,
        "product_name": PRODUCTS[product],
        "form": form,
        "may_record": staff.may(Permission.RECORD_HISTORY),
    }


def _decision_form(staff: Staff, chosen: presenters.Assessed, *args: Any, **kwargs: Any) -> forms.DecisionForm:
    signers: tuple[Staff, ...] = ()
    if chosen.needs.second_signature:
        others = staff_with_role(staff.clinic, Role.PRESCRIBER).exclude(pk=staff.pk)
        signers = tuple(others.select_related("user", "clinic"))
    return forms.DecisionForm(*args, passing=chosen.needs.reasons, signers=signers, **kwargs)


@requires(Permission.SEE_CHART)
@require_GET
def patient_page(request: HttpRequest, patient_pk: int) -> HttpResponse:
    """Show what the rules find about one candidate, and ask what they lack."""
    patient = _patient(request, patient_pk)
    product = request.GET.get("product", "")
    known = product if product in PRODUCTS else next(iter(PRODUCTS))
    return render(request, "screening/patient.html", _context(request, patient, known))


@requires(Permission.RECORD_HISTORY)
@require_POST
@edits(forms.standing_question, fields=("question",))
def answer(request: HttpRequest, patient_pk: int) -> HttpResponse:
    """Take the answer to one question, given in place."""
    patient = _patient(request, patient_pk)
    given = request.POST.get("answer", "")
    value = request.POST.get("value", "")
    if given == "given" and not value:
        messages.warning(request, "Choose an answer first, or say “Not known”.")
        return redirect(_page_of(patient, request.GET.get("product", ""), "unknown"))
    actions.record_answer(
        patient=patient,
        by=request.staff,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        question=request.POST.get("question", ""),
        answer=given,
        value=value,
    )
    messages.success(request, "The answer is saved.")
    return redirect(_page_of(patient, request.GET.get("product", ""), "unknown"))


@requires(Permission.RECORD_HISTORY)
@require_http_methods(["GET", "POST"])
@edits(forms.standing_answer, token=False)
def change_answer(request: HttpRequest, patient_pk: int, pk: int) -> HttpResponse:
    """Change an answer with a reason."""
    patient = _patient(request, patient_pk)
    earlier = queries.answer_in(patient, pk)
    form = forms.ChangeAnswerForm(request.POST or None, earlier=earlier)

    def save() -> object:
        given, value = form.answer()
        return actions.amend_answer(
            earlier=earlier,
            by=request.staff,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            answer=given,
            value=value,
            reason=form.cleaned_data["reason"],
        )

    return _form_page(request, patient, form, "Change an answer", save)


def _form_page(
    request: HttpRequest, patient: Patient, form: django_forms.BaseForm, title: str, save: Callable[[], object]
) -> HttpResponse:
    """Show a form; save it when it is sent and valid. What the core refuses is told at the form, input kept."""
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except Refusal as refusal:
            form.add_error(None, f"{'; '.join(refusal.because)}. {refusal.do}")
        else:
            messages.success(request, f"{title}: saved.")
            return redirect(_page_of(patient))
    status = 422 if form.is_bound else 200
    return render(request, "screening/form.html", {"patient": patient, "form": form, "title": title}, status=status)


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind of entry that can be added: its form, its title, the action that writes it."""

    form: type[django_forms.BaseForm]
    title: str
    record: Callable[..., object]


def _record_pressure(*, systolic: int, diastolic: int, **who: Any) -> object:
    return actions.record_vital(kind="blood_pressure", value=systolic, value_2=diastolic, **who)


ENTRIES = {
    "medicine": Entry(forms.MedicationForm, "Add a medicine", actions.record_medication),
    "allergy": Entry(forms.AllergyForm, "Add an allergy", actions.record_allergy),
    "problem": Entry(forms.ProblemForm, "Add a condition", actions.record_problem),
    "pressure": Entry(forms.PressureForm, "Blood pressure", _record_pressure),
    "trial": Entry(forms.TrialForm, "Add an antidepressant trial", actions.record_trial),
}


@requires(Permission.RECORD_HISTORY)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, patient_pk: int, what: str) -> HttpResponse:
    """Add a medicine, an allergy, a condition, a blood pressure or a trial."""
    patient = _patient(request, patient_pk)
    if what not in ENTRIES:
        raise Http404("No such form.")
    entry = ENTRIES[what]
    form = entry.form(request.POST or None)

    def save() -> object:
        who = {"patient": patient, "by": request.staff, "at": request.at}  # type: ignore[attr-defined]
        return entry.record(**who, **form.cleaned_data)

    return _form_page(request, patient, form, entry.title, save)


@requires(Permission.RECORD_HISTORY)
@require_http_methods(["GET", "POST"])
@edits(forms.standing_medicine, token=False)
def stop_medicine(request: HttpRequest, patient_pk: int, pk: int) -> HttpResponse:
    """Write down that a medicine is no longer taken."""
    patient = _patient(request, patient_pk)
    row = queries.medication_in(patient, pk)
    form = forms.StopMedicationForm(request.POST or None)

    def save() -> object:
        return actions.stop_medication(
            medication=row,
            by=request.staff,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            **form.cleaned_data,
        )

    return _form_page(request, patient, form, f"Stop {row.display}", save)


@requires(Permission.DECIDE_CANDIDACY, fresh="settle an entry of the problem list")
@require_http_methods(["GET", "POST"])
@edits(forms.standing_problem, token=False)
def refute(request: HttpRequest, patient_pk: int, pk: int) -> HttpResponse:
    """Settle an entry of the problem list that is wrong."""
    patient = _patient(request, patient_pk)
    row = queries.problem_in(patient, pk)
    form = forms.RefuteForm(request.POST or None)

    def save() -> object:
        return actions.refute_problem(
            problem=row,
            by=request.staff,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            **form.cleaned_data,
        )

    return _form_page(request, patient, form, f"Not the case: {row.display}", save)


@requires(Permission.DECIDE_CANDIDACY, fresh="settle an allergy")
@require_http_methods(["GET", "POST"])
@edits(forms.standing_allergy, token=False)
def refute_allergy(request: HttpRequest, patient_pk: int, pk: int) -> HttpResponse:
    """Settle an allergy that was entered in error."""
    patient = _patient(request, patient_pk)
    row = queries.allergy_in(patient, pk)
    form = forms.RefuteForm(request.POST or None)

    def save() -> object:
        return actions.refute_allergy(
            allergy=row,
            by=request.staff,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            **form.cleaned_data,
        )

    return _form_page(request, patient, form, f"No allergy: {row.display}", save)


@requires(Permission.RECORD_HISTORY)
@require_http_methods(["GET", "POST"])
@edits(forms.standing_trial, token=False)
def correct_trial(request: HttpRequest, patient_pk: int, pk: int) -> HttpResponse:
    """Correct a trial with a reason."""
    patient = _patient(request, patient_pk)
    row = queries.trial_in(patient, pk)
    form = forms.TrialForm(request.POST or None, initial=forms.trial_values(row), correcting=True)

    def save() -> AntidepressantTrial:
        return actions.record_trial(
            patient=patient,
            by=request.staff,  # type: ignore[attr-defined]
            at=request.at,  # type: ignore[attr-defined]
            amends=row,
            **form.cleaned_data,
        )

    return _form_page(request, patient, form, f"Correct the trial of {row.drug}", save)


@requires(Permission.DECIDE_CANDIDACY, fresh="record your decision on this candidate")
@require_POST
@edits(forms.standing_decision, fields=("product",))
def decide(request: HttpRequest, patient_pk: int) -> HttpResponse:
    """Keep the prescriber's decision; what keeps it from being made is told at the form, input kept."""
    patient = _patient(request, patient_pk)
    product = request.POST.get("product", "")
    if product not in PRODUCTS:
        raise Http404("No such product.")
    staff: Staff = request.staff  # type: ignore[attr-defined]
    history = queries.history_of(patient, request.at)  # type: ignore[attr-defined]
    _, (chosen,) = presenters.assessed(history, [product])
    form = _decision_form(staff, chosen, request.POST)
    if form.is_valid():
        try:
            row = actions.decide_candidacy(
                patient=patient,
                by=staff,
                at=request.at,  # type: ignore[attr-defined]
                product=product,
                verdict=form.cleaned_data["verdict"],
                reason=form.cleaned_data["reason"],
                overrides=form.overrides(),
                second_signer=form.second,
            )
        except Refusal as refusal:
            form.add_error(None, f"{'; '.join(refusal.because)}. {refusal.do}")
        else:
            messages.success(request, f"Kept: {row}.")
            return redirect(_page_of(patient, product, "decide"))
    return render(request, "screening/patient.html", _context(request, patient, product, form), status=422)
