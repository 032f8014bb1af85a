"""What the screens of the treatment room show, worked out once, before any template.

``session_screen`` and ``floor_board`` ask the core and return frozen values; ``entries_from`` and ``payload_from``
read what the forms of the session screen send.
"""

from ketaclinic.treatment.presenters.chairs import NextChair, next_chair
from ketaclinic.treatment.presenters.floor import Floor, floor_board
from ketaclinic.treatment.presenters.happened import Amendable, amendable
from ketaclinic.treatment.presenters.session import SessionScreen, session_screen
from ketaclinic.treatment.presenters.wire import Entry, entries_from, payload_from
from ketaclinic.treatment.presenters.words import correction_text, symptom_text

__all__ = [
    "Amendable",
    "Entry",
    "Floor",
    "NextChair",
    "SessionScreen",
    "amendable",
    "correction_text",
    "entries_from",
    "floor_board",
    "next_chair",
    "payload_from",
    "session_screen",
    "symptom_text",
]
