"""Who patients are; the clinic's settings."""

from django.urls import path

from ketaclinic.people import views

app_name = "people"
urlpatterns = [
    path("patients/new/", views.register, name="register"),
    path("patients/<int:patient_pk>/details/", views.patient, name="patient"),
    path("patients/<int:patient_pk>/correct/", views.correct_patient, name="correct_patient"),
    path("patients/<int:patient_pk>/caregivers/new/", views.name_caregiver, name="name_caregiver"),
    path(
        "patients/<int:patient_pk>/caregivers/<int:caregiver_pk>/",
        views.correct_caregiver,
        name="correct_caregiver",
    ),
    path("patients/<int:patient_pk>/access/", views.access, name="access"),
    path("patients/<int:patient_pk>/access/give/", views.give_access, name="give_access"),
    path("patients/<int:patient_pk>/emergency/", views.open_emergency, name="open_emergency"),
    path("emergency/", views.emergencies, name="emergencies"),
    path("emergency/find/", views.find_patient, name="find_patient"),
    path("emergency/<int:emergency_pk>/", views.emergency, name="emergency"),
    path("emergency/<int:emergency_pk>/close/", views.close_emergency, name="close_emergency"),
    path("clinic/", views.clinic, name="clinic"),
]
