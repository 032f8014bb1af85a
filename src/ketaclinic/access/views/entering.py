"""The way in: password, second factor or passkey, setting one up, invitations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from ketaclinic.access import entering, factors, proving
from ketaclinic.access.actions.invitations import accept_invitation
from ketaclinic.access.actions.own import note_factor
from ketaclinic.access.forms import ChoosePasswordForm, CodeForm, PasskeyForm, SignInForm
from ketaclinic.access.queries import invitation_for, open_invitation
from ketaclinic.access.throttle import TooManyAttempts
from ketaclinic.people.models import User
from ketaclinic.people.permissions import public, seen_while_locked

_INVITATION = "access.invitation"
_SECRET = "access.app_secret"


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: Any) -> HttpResponseBase:
    """Ask for user name and password, or a passkey; somebody who is signed in already is sent on."""
    if request.user.is_authenticated:
        return redirect(entering.safe_next(request, request.GET.get("next", "")))
    if request.method != "POST":
        return _sign_in_page(request)
    try:
        user = _whose(request)
    except TooManyAttempts as closed:
        return _throttled(_sign_in_page(request, wait=closed.minutes, status=429), closed)
    if user is None:
        return _sign_in_page(request, wrong=True, status=422)
    if request.POST.get("credential"):
        return entering.enter(request, user, request.at, _next(request), way="passkey")
    return entering.next_step(request, user, request.at, _next(request))


def _whose(request: Any) -> User | None:
    """Return whose password or passkey this is."""
    passkey, form = PasskeyForm(request.POST), SignInForm(request.POST)
    if passkey.is_valid():
        return proving.passkey_of(request, None, passkey.cleaned_data["credential"], request.at)
    if form.is_valid():
        return proving.password_of(request, **form.cleaned_data, at=request.at)
    return None


def _sign_in_page(request: HttpRequest, wrong: bool = False, wait: int = 0, status: int = 200) -> HttpResponse:
    context = {
        "username": request.POST.get("username", ""),
        "wrong": wrong,
        "wait": wait,
        "next": _next(request),
        "passkeys": factors.passkeys_work_at(request),
    }
    return render(request, "access/sign_in.html", context, status=status)


def _next(request: HttpRequest) -> str:
    return entering.safe_next(request, request.POST.get("next", request.GET.get("next", "")))


def _throttled(response: HttpResponse, closed: TooManyAttempts) -> HttpResponse:
    response["Retry-After"] = str(closed.seconds)
    return response


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: Any) -> HttpResponseBase:
    """Ask for the second factor of somebody whose password was right."""
    found = entering.held_person(request, request.at)
    if found is None:
        return _begin_again(request)
    user, pending = found
    if request.method != "POST":
        return _second_page(request, user)
    try:
        proved = _second_proved(request, user)
    except TooManyAttempts as closed:
        return _throttled(_second_page(request, user, wait=closed.minutes, status=429), closed)
    if not proved:
        return _second_page(request, user, wrong=True, status=422)
    return entering.enter(request, user, request.at, pending.next, way=f"password and {proved}")


def _second_proved(request: Any, user: User) -> str:
    """Return which second factor was proved, in words; empty where none was."""
    passkey, form = PasskeyForm(request.POST), CodeForm(request.POST)
    if passkey.is_valid():
        found = proving.passkey_of(request, user, passkey.cleaned_data["credential"], request.at)
        return "passkey" if found is not None else ""
    kind = proving.code_of(request, user, form.cleaned_data["code"], request.at) if form.is_valid() else ""
    if kind == proving.RECOVERY:
        left = len(factors.recovery_codes(user))
        messages.warning(request, f"You used a recovery code. {left} are left; make new ones under your name.")
    return kind


def _second_page(
    request: HttpRequest, user: User, wrong: bool = False, wait: int = 0, status: int = 200
) -> HttpResponse:
    context = {
        "wrong": wrong,
        "wait": wait,
        "app": factors.has_app(user),
        "passkeys": factors.has_passkey(user) and factors.passkeys_work_at(request),
        "person": user.get_username(),
    }
    return render(request, "access/second.html", context, status=status)


def _begin_again(request: HttpRequest) -> HttpResponse:
    messages.info(request, "That took too long, or was done already. Sign in again.")
    return redirect("access:sign_in")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: Any) -> HttpResponseBase:
    """Let somebody without a second factor set one up; before that nothing else is open to them."""
    found = entering.held_person(request, request.at)
    if found is None or factors.has_factor(found[0]):
        return _begin_again(request)
    user, pending = found
    wrong = ""
    if request.method == "POST":
        what, wrong = set_up_factor(request, user)
        if not wrong:
            return entering.enter(request, user, request.at, pending.next, way=f"password and new {what}")
    return set_up_page(request, user, "access/set_up.html", wrong)


def set_up_page(request: HttpRequest, user: User, template: str, wrong: str = "", **more: Any) -> HttpResponse:
    """Show what can be set up: an app that shows codes (its secret waits in the session), a passkey."""
    secret = request.session.setdefault(_SECRET, factors.new_app_secret())
    context = {
        "wrong": wrong,
        "person": user.get_username(),
        "has_app": factors.has_app(user),
        "picture": factors.app_picture(user, secret),
        "secret": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "passkeys": factors.passkeys_work_at(request),
        **more,
    }
    return render(request, template, context, status=422 if wrong else 200)


@transaction.atomic
def set_up_factor(request: Any, user: User) -> tuple[str, str]:
    """Keep the second factor that was sent, with its entry in the log; return what it is and what was wrong with it."""
    passkey, form = PasskeyForm(request.POST), CodeForm(request.POST)
    if passkey.is_valid():
        name = passkey.cleaned_data["name"] or f"Passkey {len(factors.factors_of(user)) + 1}"
        if not factors.add_passkey(user, name, passkey.cleaned_data["credential"]):
            return "", "The passkey was not taken. Start again with the button."
        what = f"passkey {name}"
    else:
        secret = request.session.get(_SECRET, "")
        code = form.cleaned_data["code"] if form.is_valid() else ""
        if not secret or not factors.add_app(user, secret, code, request.at):
            return "", "This code is not right. Wait for the next one, and see that the phone's clock is right."
        what = "app"
    request.session.pop(_SECRET, None)
    if note_factor(user=user, what=what, at=request.at):
        entering.owe_codes(request)
    return what, ""


@public
@never_cache
@require_http_methods(["GET", "HEAD"])
def use_link(request: Any, token: str) -> HttpResponse:
    """Take the token of an invitation out of the address, then go on without it."""
    invitation = invitation_for(token, request.at)
    if invitation is None:
        return render(request, "access/no_invitation.html", status=404)
    request.session.flush()
    request.session[_INVITATION] = invitation.pk
    return redirect("access:invitation")


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: Any) -> HttpResponseBase:
    """Let an invited person choose their password."""
    found = open_invitation(request.session.get(_INVITATION), request.at)
    if found is None:
        return render(request, "access/no_invitation.html", status=404)
    form = ChoosePasswordForm(found.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = accept_invitation(invitation=found, password=form.cleaned_data["new_password1"], at=request.at)
        return entering.next_step(request, user, request.at, "/") if user else _begin_again(request)
    place = getattr(found.user, "staff", None) or found.user.own
    context = {"form": form, "invitation": found, "staff_place": getattr(found.user, "staff", None)}
    with timezone.override(place.clinic.time_zone):  # nobody is signed in yet whose clinic would set it
        return render(request, "access/invitation.html", context, status=422 if form.errors else 200)


@seen_while_locked
@public
@never_cache
@require_POST
def passkey_options(request: Any) -> HttpResponse:
    """Give the browser what it needs to make or use a passkey."""
    user, wanted = _passkey_person(request), request.POST.get("for", "")
    if wanted == "make":
        return JsonResponse(factors.offer_registration(user) if user else {}, status=200 if user else 403)
    return JsonResponse(factors.offer_authentication(user))


def _passkey_person(request: Any) -> User | None:
    """Return whose passkey it must be: of who is signed in or owes the second factor; ``None`` for anybody's."""
    if request.presence is not None:
        person: User = request.presence.user
        return person
    held = entering.held_person(request, request.at)
    return held[0] if held else None
