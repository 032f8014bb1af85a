"""The page that shows all components, and the theme switch."""

from django.urls import path

from ketaclinic.design import views

app_name = "design"
urlpatterns = [
    path("", views.components, name="components"),
    path("theme/", views.theme, name="theme"),
]
