"""The clinic's application without its audit log: what AUDIT compares with. No setting of a clinic does this."""

from __future__ import annotations

import sys
from typing import Any

from ketaclinic.config.wsgi import application

__all__ = ["application"]


def _take_the_log_out() -> None:
    from ketaclinic.audit.actions import write_audit
    from ketaclinic.audit.middleware import Reads

    for module in list(sys.modules.values()):
        if getattr(module, "write_audit", None) is write_audit:
            module.write_audit = _nothing  # type: ignore[attr-defined]
    Reads.__call__ = lambda self, request: self.get_response(request)  # type: ignore[method-assign]


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    return None


_take_the_log_out()
