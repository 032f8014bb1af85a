"""Routes of this room."""

from django.urls import path

from ketaclinic.pkpd import views

app_name = "pkpd"
urlpatterns = [path("", views.how, name="how")]
