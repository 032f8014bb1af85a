"""What the screens of the treatment room show, worked out once, before any template.

``session_screen`` and ``floor_board`` ask the core and return frozen values; ``entries_from`` and ``payload_from``
read what the forms of the session screen send.
"""

from ketaclinic.treatment.presenters.floor import Floor, floor_board
from ketaclinic.treatment.presenters.happened import Amendable, amendable
from ketaclinic.treatment.presenters.session import SessionScreen, session_screen
from ketaclinic.treatment.presenters.wire import Entry, entries_from, payload_from

__all__ = [
    "Amendable",
    "Entry",
    "Floor",
    "SessionScreen",
    "amendable",
    "entries_from",
    "floor_board",
    "payload_from",
    "session_screen",
]
