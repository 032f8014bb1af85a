"""This interface as a Django application."""

from django.apps import AppConfig


class Fhir(AppConfig):
    """FHIR R4 in and out."""

    name = "ketaclinic.interfaces.fhir"
    label = "fhir"
