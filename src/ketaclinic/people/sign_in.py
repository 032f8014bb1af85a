"""Who a session belongs to: user, place or own access, and clinic, read together; passwords that everybody knows."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError

from ketaclinic.config.wall.standing import let_in
from ketaclinic.people.models import User

PUBLIC_PASSWORDS = frozenset({"synthetic-people-only"})
"""Printed by the demo, so known to everybody: they open nothing but the demo."""
WORDS_OF_THE_PLACE = ("ketaclinic", "esketamine", "ketamine", "spravato", "clinic", "password", "depression")
"""What anybody would try first, besides the clinic's own name (``docs/safety/security-decisions.md``)."""
LETTERS_BESIDE = 8
"""How many letters or digits a password must have besides these words: as many as a short one must have in all."""
PLACES = ("staff__clinic",)
"""What is read with a person."""


class StaffBackend(ModelBackend):
    """A session's user comes with staff and clinic in one read instead of two; who signs in is proved in ``access``."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether the sign-in is open: neither it nor the person's place in the clinic was closed."""
        place = getattr(user, "staff", None) or getattr(user, "own", None)
        return super().user_can_authenticate(user) and (place is None or place.is_active)

    def get_user(self, user_id: int) -> User | None:
        """Return the active user with their place in a clinic, or ``None``.

        Patients and caregivers have none; their own access is read when it turns out so, at no cost to the staff.
        """
        let_in(user=user_id)
        user = User.objects.select_related(*PLACES).filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None


class NotPublicValidator:
    """Refuses a password that is printed somewhere."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ``ValidationError`` for a public password."""
        if password in PUBLIC_PASSWORDS:
            raise ValidationError("This password is printed in the demo: everybody knows it.")

    def get_help_text(self) -> str:
        """Say what is asked."""
        return "Not a password of the demo."


class WordsOfThePlaceValidator:
    """Refuses a password that is little more than the name of the clinic, the program or the drug."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ``ValidationError`` where too little is left beside the words of the place."""
        place = getattr(user, "staff", None) or getattr(user, "own", None)
        named = str(place.clinic.name).casefold().split() if place is not None else []
        left = password.casefold()
        for word in sorted({*WORDS_OF_THE_PLACE, *(w for w in named if len(w) > 3)}, key=len, reverse=True):
            left = left.replace(word, "")
        if left != password.casefold() and sum(sign.isalnum() for sign in left) < LETTERS_BESIDE:
            raise ValidationError("This is little more than a word of this place: the clinic, the program or the drug.")

    def get_help_text(self) -> str:
        """Say what is asked."""
        return "Not the name of the clinic, the program or the drug with a few signs."
