"""Signing in and out."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from ketaclinic.people.permissions import public

app_name = "people"
urlpatterns = [
    path(
        "sign-in/",
        public(LoginView.as_view(template_name="people/sign_in.html", redirect_authenticated_user=True)),
        name="sign_in",
    ),
    path("sign-out/", public(LogoutView.as_view()), name="sign_out"),
]
