"""Routes of this room: first pages, the list, the chart, the timeline."""

from django.urls import path

from ketaclinic.journey import views

app_name = "journey"
urlpatterns = [
    path("", views.home, name="home"),
    path("patients/", views.patients, name="patients"),
    path("patients/<int:patient_pk>/", views.chart, name="chart"),
    path("patients/<int:patient_pk>/findings/", views.findings, name="findings"),
    path("patients/<int:patient_pk>/timeline/", views.timeline, name="timeline"),
]
