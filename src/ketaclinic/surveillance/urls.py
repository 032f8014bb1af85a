"""Routes of surveillance."""

from django.urls import path

from ketaclinic.surveillance import views

app_name = "surveillance"
urlpatterns = [
    path("<int:patient_pk>/", views.patient, name="patient"),
    path("<int:patient_pk>/record/", views.record, name="record"),
    path("result/<int:pk>/correct/", views.correct, name="correct"),
]
