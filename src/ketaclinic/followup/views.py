"""Pages of follow-up: a patient's course, a form to fill in, an alert and its loop."""

from __future__ import annotations

from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ketaclinic.audit.noted import note_people
from ketaclinic.followup import actions, presenters, queries
from ketaclinic.followup.forms import (
    CloseAlertForm,
    CorrectionForm,
    NoteForm,
    answers_from,
    standing_alert,
    standing_form,
)
from ketaclinic.followup.models import Alert, ScaleAnswer
from ketaclinic.people.middleware import OwnRequest, StaffRequest
from ketaclinic.people.models import Patient, Person
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.policy.queries import setting_of
from ketacore.evidence import Refusal
from ketacore.scales import SCALES, Scale


def _scale(instrument: str) -> Scale:
    if instrument not in SCALES:
        raise Http404("There is no such instrument.")
    return SCALES[instrument]


@require_safe
@requires(Permission.SEE_CHART)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show scores, sessions and alerts of one patient."""
    person = patient_in(request.clinic, patient_pk)
    page = presenters.followup_page(person, request.at)
    return render(request, "followup/patient.html", {"patient": person, "page": page})


@requires(Permission.RECORD_SCORE)
def answer(request: StaffRequest, patient_pk: int, instrument: str) -> HttpResponse:
    """Show the empty form; store what was tapped."""
    person = patient_in(request.clinic, patient_pk)
    found = _answered(request, person, _scale(instrument), request.staff, "followup/answer.html")
    return _after(request, found) if isinstance(found, actions.Recorded) else found


@requires(Permission.ANSWER_OWN_FORM)
def own_answer(request: OwnRequest, instrument: str) -> HttpResponse:
    """Show the patient their own form; store what they tapped, as told by them."""
    own = request.own
    found = _answered(request, own.patient, _scale(instrument), own, "followup/own_answer.html")
    return _after_own(request, found) if isinstance(found, actions.Recorded) else found


def _answered(
    request: StaffRequest | OwnRequest, person: Patient, scale: Scale, by: Person, template: str
) -> HttpResponse | actions.Recorded:
    """Return what was stored, or the page that asks for it: empty at first, then with what was tapped."""
    context = {"patient": person, "scale": scale, "action": request.path}
    if request.method != "POST":
        key = uuid4().hex
        return render(request, template, {**context, "key": key, "questions": _asked(scale)})
    key = request.POST.get("entry_key", "")[:64] or uuid4().hex
    context["key"] = key
    try:
        given = answers_from(scale, request.POST.dict())
        missing = [i.number for i in scale.items if given[i.key] is None]
        if missing and "without_number" not in request.POST:
            again = {**context, "missing": missing, "questions": presenters.questions(scale, given, sent=True)}
            return render(request, template, again, status=422)
        return actions.record_answers(
            patient=person, instrument=scale.scale_id, answers=given, entry_key=key, by=by, at=request.at
        )
    except Refusal as refusal:
        again = {**context, "refusal": refusal, "questions": _asked(scale, request)}
        return render(request, template, again, status=409)


def _asked(scale: Scale, request: StaffRequest | OwnRequest | None = None) -> tuple[presenters.Question, ...]:
    sent = request.POST if request else {}
    given = {key: int(value) for key, value in sent.items() if str(value).isdecimal()}
    return presenters.questions(scale, given, sent=request is not None)


def _after(request: StaffRequest, recorded: actions.Recorded) -> HttpResponse:
    row, scale = recorded.answer, SCALES[recorded.answer.instrument]
    urgent = next((a for a in recorded.alerts if a.kind == Alert.Kind.SUICIDE_ITEM), None)
    if urgent is not None and request.staff.may(Permission.OWN_ALERT):
        return redirect("followup:alert", urgent.pk)
    if row.complete:
        messages.success(request, f"Saved. {scale.name} {row.total} of {scale.highest}, {row.band}.")
    else:
        messages.warning(request, f"Saved without a number: {scale.name} has answers missing.")
    _warn_unasked(request, row, scale)
    return redirect("followup:patient", row.patient_id)


def _after_own(request: OwnRequest, recorded: actions.Recorded) -> HttpResponse:
    """Thank the patient; where an answer speaks of suicide, say whom to call now before anything else."""
    if any(a.kind == Alert.Kind.SUICIDE_ITEM for a in recorded.alerts):
        crisis = presenters.crisis(request.clinic, setting_of(request.clinic, request.at))
        messages.error(request, presenters.safety_words(crisis))
    else:
        messages.success(request, "Thank you. Your answers are with the clinic.")
    return redirect("journey:own")


def _warn_unasked(request: StaffRequest, row: ScaleAnswer, scale: Scale) -> None:
    for suicide in scale.suicide_items:
        if suicide.item not in row.answers:
            number = scale.item(suicide.item).number
            messages.warning(
                request,
                f"Item {number}, about suicide, was not answered. That is not a no: ask. It stays an open task.",
            )


@require_safe
@requires(Permission.SEE_CHART)
def form(request: StaffRequest, pk: int) -> HttpResponse:
    """Show one stored form item by item, and what it was corrected from or to."""
    row = queries.answer_in(request.clinic, pk)
    later = queries.correction_of(row)
    context = {"patient": row.patient, "row": row, "scale": _scale(row.instrument), "lines": presenters.told(row)}
    return render(
        request, "followup/form.html", {**context, "later": later, "of": f"of {_scale(row.instrument).highest}"}
    )


@requires(Permission.RECORD_SCORE)
@edits(standing_form, token=False)
def correct(request: StaffRequest, pk: int) -> HttpResponse:
    """Correct a stored form; the old one is kept."""
    row = queries.answer_in(request.clinic, pk)
    scale = _scale(row.instrument)
    reason = CorrectionForm(request.POST or None)
    context = {"patient": row.patient, "scale": scale, "row": row, "reason": reason, "action": request.path}
    given = dict(row.answers)
    if request.method == "POST":
        context["key"] = request.POST.get("entry_key", "")[:64] or uuid4().hex
        try:
            given = answers_from(scale, request.POST.dict())
            if reason.is_valid():
                recorded = actions.amend_answers(
                    answer=row,
                    answers=given,
                    reason=reason.cleaned_data["reason"],
                    entry_key=str(context["key"]),
                    by=request.staff,
                    at=request.at,
                )
                return _after(request, recorded)
        except Refusal as refusal:
            context["refusal"] = refusal
        again = {**context, "questions": presenters.questions(scale, given, sent=True)}
        return render(request, "followup/answer.html", again, status=409)
    questions = presenters.questions(scale, given, sent=False)
    return render(request, "followup/answer.html", {**context, "key": uuid4().hex, "questions": questions})


@require_safe
@requires(Permission.OWN_ALERT)
def alerts(request: StaffRequest) -> HttpResponse:
    """Show the open alerts of the clinic, one's own first."""
    mine = {a.pk for a in queries.alerts_for(request.staff, request.at)}
    lines = [presenters.alert_line(a, request.at) for a in queries.open_alerts(request.clinic, request.at)]
    note_people(len(lines))
    context = {"mine": [a for a in lines if a.pk in mine], "others": [a for a in lines if a.pk not in mine]}
    return render(request, "followup/alerts.html", context)


@requires(Permission.OWN_ALERT)
@edits(standing_alert)
def alert(request: StaffRequest, pk: int) -> HttpResponse:
    """Show an alert with whom to call; take it, note on it, close it."""
    row = queries.alert_in(request.clinic, pk)
    do = request.POST.get("do", "")
    closing = CloseAlertForm(request.POST if do == "close" else None)
    noting = NoteForm(request.POST if do == "note" else None, auto_id="noting_%s")
    context: dict[str, object] = {"closing": closing, "noting": noting}
    if request.method == "POST":
        try:
            if _done(request, row, do, closing, noting):
                return redirect("followup:alert", row.pk)
        except Refusal as refusal:
            context["refusal"] = refusal
    shown = {
        **context,
        "patient": row.patient,
        "alert": row,
        "line": presenters.alert_line(row, request.at),
        "steps": queries.steps_of(row),
        "crisis": presenters.crisis(request.clinic, setting_of(request.clinic, request.at)),
        "backup": presenters.role_words(row.backup_role),
    }
    return render(request, "followup/alert.html", shown, status=409 if request.method == "POST" else 200)


def _done(request: StaffRequest, row: Alert, do: str, closing: CloseAlertForm, noting: NoteForm) -> bool:
    by, at = request.staff, request.at
    if do == "acknowledge":
        actions.acknowledge_alert(alert=row, by=by, at=at)
        messages.success(request, "It is yours. Close it when you have spoken with the patient.")
        return True
    if do == "note" and noting.is_valid():
        actions.note_on_alert(alert=row, note=noting.cleaned_data["note"], by=by, at=at)
        messages.success(request, "Note added.")
        return True
    if do == "close" and closing.is_valid():
        actions.close_alert(alert=row, by=by, at=at, **closing.cleaned_data)
        messages.success(request, "Alert closed.")
        return True
    return False
