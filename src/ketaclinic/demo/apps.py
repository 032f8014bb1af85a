"""This room as a Django application."""

from django.apps import AppConfig


class Demo(AppConfig):
    """The room ``demo``."""

    name = "ketaclinic.demo"
    label = "demo"
