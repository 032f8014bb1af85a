"""Signing in and out; who patients are; the staff list; the clinic's settings."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from ketaclinic.people import views
from ketaclinic.people.permissions import Permission, public, requires

app_name = "people"
urlpatterns = [
    path("sign-in/", public(views.SignIn.as_view()), name="sign_in"),
    path("sign-out/", public(LogoutView.as_view()), name="sign_out"),
    path("password/", requires(Permission.SEE_HOME)(views.ChangePassword.as_view()), name="password"),
    path("patients/new/", views.register, name="register"),
    path("patients/<int:patient_pk>/details/", views.patient, name="patient"),
    path("patients/<int:patient_pk>/correct/", views.correct_patient, name="correct_patient"),
    path("patients/<int:patient_pk>/caregivers/new/", views.name_caregiver, name="name_caregiver"),
    path(
        "patients/<int:patient_pk>/caregivers/<int:caregiver_pk>/",
        views.correct_caregiver,
        name="correct_caregiver",
    ),
    path("staff/", views.staff, name="staff"),
    path("staff/new/", views.add_staff, name="add_staff"),
    path("staff/<int:staff_pk>/", views.change_staff, name="change_staff"),
    path("clinic/", views.clinic, name="clinic"),
]
