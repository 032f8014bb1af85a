"""Routes of this room: first pages, the pages of patients and caregivers, the list, the chart, the timeline."""

from django.urls import path

from ketaclinic.journey import views

app_name = "journey"
urlpatterns = [
    path("", views.home, name="home"),
    path("me/", views.own, name="own"),
    path("me/sheet.pdf", views.own_sheet, name="own_sheet"),
    path("with/", views.ward, name="ward"),
    path("staff/<int:staff_pk>/duties/", views.duties, name="duties"),
    path("patients/", views.patients, name="patients"),
    path("patients/<int:patient_pk>/", views.chart, name="chart"),
    path("patients/<int:patient_pk>/findings/", views.findings, name="findings"),
    path("patients/<int:patient_pk>/timeline/", views.timeline, name="timeline"),
]
