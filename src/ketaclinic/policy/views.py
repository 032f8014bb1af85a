"""The rules of the house, and the medical director's signature under the clinic's own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.seen import Shown, Standing, edits, last_change
from ketaclinic.policy.actions import sign_policy, sign_room
from ketaclinic.policy.presenters import RuleFilter, room_title, rule_page, rules_page
from ketaclinic.policy.queries import rule_named, signatures_under
from ketacore.evidence import Refusal


@require_GET
@requires(Permission.SEE_RULES)
def rules(request: StaffRequest) -> HttpResponse:
    """List every rule of every room with its grade, source, effect and standing here."""
    chosen = RuleFilter(*(request.GET.get(name, "") for name in ("room", "grade", "state")))
    return render(request, "policy/rules.html", {"page": rules_page(request.clinic, request.staff, request.at, chosen)})


@require_GET
@requires(Permission.SEE_RULES)
def rule(request: StaffRequest, rule_id: str) -> HttpResponse:
    """Show one rule in full."""
    return _rule(request, rule_id)


def _rule(request: StaffRequest, rule_id: str, refusal: Refusal | None = None, reason: str = "") -> HttpResponse:
    page = rule_page(request.clinic, request.staff, request.at, rule_id)
    status = 409 if refusal else 200
    return render(
        request, "policy/rule.html", {"page": page, "refusal": refusal, "reason_typed": reason}, status=status
    )


def _standing(request: StaffRequest, rule_id: str) -> Standing:
    """Return whether the rule is signed here, and who said so last."""
    _, named = rule_named(rule_id)
    last = next(iter(signatures_under(request.clinic, named, request.at)), None)
    does = "sign" if last is not None and last.signed else "withdraw"
    shown = Shown("do", "Signature", does, {"sign": "signed", "withdraw": "not signed"})
    which = Shown("signature", "Signature no.", str(last.pk) if last is not None else "")
    return Standing((shown, which), *last_change(last))


@require_POST
@requires(Permission.SIGN_POLICY, fresh="sign or withdraw a clinic policy")
@edits(_standing)
def sign(request: StaffRequest, rule_id: str) -> HttpResponse:
    """Sign a clinic policy, or withdraw the signature with a reason."""
    _, named = rule_named(rule_id)
    signed, reason = request.POST.get("do") == "sign", request.POST.get("reason", "")
    try:
        sign_policy(rule=named, by=request.staff, at=request.at, signed=signed, reason=reason)
    except Refusal as refusal:
        return _rule(request, rule_id, refusal, reason)
    messages.success(request, f"{rule_id} {'is signed and acts from now on' if signed else 'no longer acts'}.")
    return redirect("policy:rule", rule_id)


@require_POST
@requires(Permission.SIGN_POLICY, fresh="sign the clinic policies you ticked")
def sign_all(request: StaffRequest, room: str) -> HttpResponse:
    """Sign all clinic policies of a room that were shown and ticked as read."""
    if request.POST.get("read") != "yes":
        raise Refusal(
            "Signing the policies of this room",
            ["that they were read is not confirmed"],
            "Read them, tick the box, and sign.",
        )
    rows = sign_room(room=room, rule_ids=request.POST.getlist("rule"), by=request.staff, at=request.at)
    messages.success(request, f"{room_title(room)}: {len(rows)} policies signed.")
    return redirect("policy:rules")
