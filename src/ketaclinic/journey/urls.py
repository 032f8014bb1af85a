"""Routes of this room: home, chart, worklists."""

from django.urls import path

from ketaclinic.journey import views

app_name = "journey"
urlpatterns = [path("", views.home, name="home")]
