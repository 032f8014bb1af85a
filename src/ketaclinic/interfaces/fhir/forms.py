"""The upload form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from ketaclinic.interfaces.fhir.incoming import Unreadable
from ketaclinic.interfaces.fhir.limits import import_limits


class UploadForm(forms.Form):
    """One FHIR R4 bundle."""

    file = forms.FileField(
        label="FHIR R4 bundle (JSON)",
        max_length=200,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json,application/fhir+json"}),
        help_text="One person per file. The file itself is not kept.",
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Refuse a file larger than the limit before it is read."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            import_limits().check_size(file.size or 0)
        except Unreadable as error:
            raise forms.ValidationError(f"{error}. Nothing was imported.") from None
        return file
