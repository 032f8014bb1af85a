"""What people type to prove who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError

from ketaclinic.people.models import User

if TYPE_CHECKING:
    _SetPassword = SetPasswordForm[User]
else:
    _SetPassword = SetPasswordForm

LONGEST_PASSWORD = 1000


class SignInForm(forms.Form):
    """User name and password."""

    username = forms.CharField(max_length=150, label="User name")
    password = forms.CharField(max_length=LONGEST_PASSWORD, label="Password", strip=False)


class CodeForm(forms.Form):
    """A code from an app, or a recovery code."""

    code = forms.CharField(max_length=40, label="Code")


class PasskeyForm(forms.Form):
    """The browser's answer for a passkey, and what to call it."""

    credential = forms.JSONField()
    name = forms.CharField(max_length=60, required=False)


class ChoosePasswordForm(_SetPassword):
    """A password of one's own, typed twice."""

    def clean_new_password1(self) -> str:
        """Refuse what is too long to be meant."""
        password: str = self.cleaned_data["new_password1"]
        if len(password) > LONGEST_PASSWORD:
            raise ValidationError(f"At most {LONGEST_PASSWORD} characters.")
        return password
