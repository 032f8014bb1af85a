"""Routes of maintenance."""

from django.urls import path

from ketaclinic.maintenance import views

app_name = "maintenance"
urlpatterns = [
    path("<int:patient_pk>/", views.patient, name="patient"),
    path("<int:patient_pk>/answer/", views.answer, name="answer"),
    path("<int:patient_pk>/benefit/", views.evaluate, name="evaluate"),
]
