"""Routes of this room."""

from django.urls import path

from ketaclinic.aftercare import views

app_name = "aftercare"
urlpatterns = [
    path("contacts/", views.contacts, name="contacts"),
    path("session/<int:session_pk>/", views.page, name="page"),
    path("session/<int:session_pk>/sheet.pdf", views.sheet, name="sheet"),
    path("session/<int:session_pk>/give/", views.give, name="give"),
    path("session/<int:session_pk>/contact/", views.contact, name="contact"),
]
