"""Routes of this interface."""

from django.urls import path

from ketaclinic.interfaces.fhir import views

app_name = "fhir"
urlpatterns = [
    path("import/", views.import_record, name="import"),
    path("import/<int:pk>/", views.import_result, name="import_result"),
    path("export/<int:patient_pk>/", views.export_page, name="export"),
    path("export/<int:patient_pk>/bundle/", views.export_record, name="export_bundle"),
]
