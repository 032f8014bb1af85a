"""Routes of follow-up."""

from django.urls import path

from ketaclinic.followup import views

app_name = "followup"
urlpatterns = [
    path("own/<slug:instrument>/", views.own_answer, name="own_answer"),
    path("<int:patient_pk>/", views.patient, name="patient"),
    path("<int:patient_pk>/answer/<slug:instrument>/", views.answer, name="answer"),
    path("form/<int:pk>/", views.form, name="form"),
    path("form/<int:pk>/correct/", views.correct, name="correct"),
    path("alerts/", views.alerts, name="alerts"),
    path("alert/<int:pk>/", views.alert, name="alert"),
]
