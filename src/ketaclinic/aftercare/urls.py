"""Routes of this room."""

from django.urls import URLPattern

app_name = "aftercare"
urlpatterns: list[URLPattern] = []
