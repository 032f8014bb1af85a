"""The page that shows all components."""

from django.urls import path

from ketaclinic.design import views

app_name = "design"
urlpatterns = [path("", views.components, name="components")]
