"""The patient's consent, and the clinic's texts."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from ketaclinic.consent.actions import sign_consent, sign_off_shipped, withdraw_consent
from ketaclinic.consent.data import shipped_text
from ketaclinic.consent.forms import SigningForm, standing_consent, standing_for_text
from ketaclinic.consent.models import ConsentText, Product
from ketaclinic.consent.presenters import consent_page, product_for, sections_of, texts_page
from ketaclinic.consent.queries import signature_in, text_in
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.policy.queries import rules_line, setting_of
from ketacore.evidence import Refusal


@require_GET
@requires(Permission.SEE_CHART)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show the text in force, whether consent stands, the signing form and the history."""
    person = patient_in(request.clinic, patient_pk)
    return _page(request, person, product_for(person, request.at, request.GET.get("product", "")))


def _page(
    request: StaffRequest,
    person: Patient,
    product: str,
    form: SigningForm | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    page = consent_page(person, product, request.staff, request.at)
    if form is None and page.text is not None:
        form = SigningForm(text=page.text)
    context = {"patient": person, "page": page, "form": form, "refusal": refusal}
    return render(request, "consent/patient.html", context, status=409 if refusal else 200)


def _back(person: Patient, product: str) -> str:
    return f"{reverse('consent:patient', args=[person.pk])}?product={product}"


@require_POST
@requires(Permission.TAKE_CONSENT, fresh="take this consent")
@edits(standing_for_text)
def sign(request: StaffRequest, patient_pk: int, text_pk: int) -> HttpResponse:
    """Take the patient's signature; what can be mended is shown beside the form with everything that was typed."""
    person, text = patient_in(request.clinic, patient_pk), text_in(request.clinic, text_pk)
    form = SigningForm(request.POST, text=text)
    if not form.is_valid():
        return _page(request, person, text.product, form)
    try:
        _sign(request, person, text, form)
    except Refusal as refusal:
        return _page(request, person, text.product, form, refusal)
    messages.success(request, f"{person} has signed: {Product(text.product).label}, version {text.version}.")
    return redirect(_back(person, text.product))


def _sign(request: StaffRequest, person: Patient, text: ConsentText, form: SigningForm) -> None:
    sign_consent(
        patient=person,
        text=text,
        by=request.staff,
        at=request.at,
        patient_name=form.cleaned_data["patient_name"],
        teach_back=form.teach_back,
        copy_given=form.cleaned_data["copy_given"],
        capacity_assessed=form.cleaned_data["capacity_assessed"],
        questions_answered=form.cleaned_data["questions_answered"],
        interpreter=form.cleaned_data["interpreter"],
        registry_research=form.research,
    )


@require_POST
@requires(Permission.TAKE_CONSENT, fresh="record that consent was taken back")
@edits(standing_consent)
def withdraw(request: StaffRequest, patient_pk: int, product: str) -> HttpResponse:
    """Record that the patient took consent back."""
    person = patient_in(request.clinic, patient_pk)
    withdraw_consent(
        patient=person, product=product, by=request.staff, at=request.at, said=request.POST.get("said", "")[:2000]
    )
    messages.success(request, "Recorded. Nothing more is given with this product from now on.")
    return redirect(_back(person, product_for(person, request.at, product)))


@require_GET
@requires(Permission.SEE_CHART)
def signature(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the text as it was signed, for the patient's copy."""
    row = signature_in(request.clinic, pk)
    setting = setting_of(request.clinic, row.at, row.product)
    context = {"patient": row.patient, "row": row, "sections": sections_of(row.text.sections, setting)}
    return render(request, "consent/signature.html", context)


@require_GET
@requires(Permission.SEE_RULES)
def texts(request: StaffRequest) -> HttpResponse:
    """List the clinic's texts and those that wait for the medical director."""
    page = texts_page(request.clinic, request.staff, request.at)
    return render(request, "consent/texts.html", {"page": page, "line": rules_line(request.clinic, request.at)})


@require_GET
@requires(Permission.SEE_RULES)
def text(request: StaffRequest, pk: int) -> HttpResponse:
    """Show one version of a text."""
    row = text_in(request.clinic, pk)
    setting = setting_of(request.clinic, request.at, row.product)
    return render(request, "consent/text.html", {"text": row, "sections": sections_of(row.sections, setting)})


@require_POST
@requires(Permission.SIGN_POLICY, fresh="put this consent text into force")
def sign_off(request: StaffRequest, product: str, language: str, version: str) -> HttpResponse:
    """Put a text that ships with the software into force."""
    shipped = shipped_text(product, language, version)
    if shipped is None:
        raise Http404("No such text ships with the software.")
    if request.POST.get("read") != "yes":
        raise Refusal(
            "Signing off the text", ["that it was read is not confirmed"], "Read it, tick the box, and sign it off."
        )
    row = sign_off_shipped(text=shipped, by=request.staff, at=request.at)
    messages.success(request, f"{row} is in force.")
    return redirect("consent:texts")
