"""One address space; each room declares its own routes, and every route its permission."""

from django.urls import include, path

urlpatterns = [
    path("", include("ketaclinic.journey.urls")),
    path("", include("ketaclinic.people.urls")),
    path("design/", include("ketaclinic.design.urls")),
    path("policy/", include("ketaclinic.policy.urls")),
    path("screening/", include("ketaclinic.screening.urls")),
    path("consent/", include("ketaclinic.consent.urls")),
    path("planning/", include("ketaclinic.planning.urls")),
    path("treatment/", include("ketaclinic.treatment.urls")),
    path("aftercare/", include("ketaclinic.aftercare.urls")),
    path("followup/", include("ketaclinic.followup.urls")),
    path("surveillance/", include("ketaclinic.surveillance.urls")),
    path("maintenance/", include("ketaclinic.maintenance.urls")),
    path("fhir/", include("ketaclinic.interfaces.fhir.urls")),
]

handler400 = "ketaclinic.design.views.bad_request"
handler403 = "ketaclinic.design.views.forbidden"
handler404 = "ketaclinic.design.views.not_found"
handler500 = "ketaclinic.design.views.server_error"
