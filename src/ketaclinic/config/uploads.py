"""A file that is sent stays in memory: nothing of it is written outside of the encrypted data folder."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler


def takes_a_file(view: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that somebody who is signed in may send a file to a view; to all others a form alone is sent."""
    view.takes_a_file = True  # type: ignore[attr-defined]
    return view


def largest_body(view: Callable[..., Any], *, signed_in: bool) -> int:
    """Return how many bytes may be sent to a view: those of a form, and of a file where one is taken."""
    file = settings.IMPORT_MAX_BYTES if signed_in and getattr(view, "takes_a_file", False) else 0
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + file)


class InMemoryOnly(FileUploadHandler):
    """Keeps a file up to the import's limit; of a larger one only its size, so that the form can refuse it by name."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.kept = BytesIO()
        self.seen = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self.kept, self.seen = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece while there is room."""
        self.seen += len(raw_data)
        if self.seen <= settings.IMPORT_MAX_BYTES:
            self.kept.write(raw_data)
        else:
            self.kept = BytesIO()

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """Return the file; one that was too large is empty and says how large it was."""
        self.kept.seek(0)
        return InMemoryUploadedFile(
            file=self.kept,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
