"""Who a signed-in session belongs to: user, place in the clinic and clinic, read together."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend

from ketaclinic.people.models import User


class StaffBackend(ModelBackend):
    """Django's own password check; a session's user comes with staff and clinic in one read instead of two."""

    def get_user(self, user_id: int) -> User | None:
        """Return the active user with their place in a clinic, or ``None``."""
        user = User.objects.select_related("staff__clinic").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
