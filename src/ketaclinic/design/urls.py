"""The page that shows all components, the theme switch, and how to tell of a weakness."""

from django.urls import path

from ketaclinic.design import views

app_name = "design"
urlpatterns = [
    path("design/", views.components, name="components"),
    path("design/theme/", views.theme, name="theme"),
    path("security/", views.security, name="security"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
]
