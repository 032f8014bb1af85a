"""One address space; each room declares its own routes, and every route its permission."""

from django.urls import include, path

urlpatterns = [
    path("", include("ketaclinic.journey.urls")),
    path("", include("ketaclinic.access.urls")),
    path("", include("ketaclinic.people.urls")),
    path("", include("ketaclinic.design.urls")),
    path("how-ketamine-works/", include("ketaclinic.pkpd.urls")),
    path("policy/", include("ketaclinic.policy.urls")),
    path("screening/", include("ketaclinic.screening.urls")),
    path("consent/", include("ketaclinic.consent.urls")),
    path("planning/", include("ketaclinic.planning.urls")),
    path("treatment/", include("ketaclinic.treatment.urls")),
    path("aftercare/", include("ketaclinic.aftercare.urls")),
    path("followup/", include("ketaclinic.followup.urls")),
    path("surveillance/", include("ketaclinic.surveillance.urls")),
    path("maintenance/", include("ketaclinic.maintenance.urls")),
    path("downtime/", include("ketaclinic.continuity.urls")),
    path("fhir/", include("ketaclinic.interfaces.fhir.urls")),
]

handler400 = "ketaclinic.design.views.bad_request"
handler403 = "ketaclinic.design.views.forbidden"
handler404 = "ketaclinic.design.views.not_found"
handler500 = "ketaclinic.record.views.server_error"
