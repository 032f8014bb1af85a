"""Template-ready values of follow-up: the score course, alerts, forms, and the card on the chart."""

from ketaclinic.followup.presenters.alerts import (
    AlertLine,
    alert_line,
    role_words,
    state_of,
)
from ketaclinic.followup.presenters.course import ScoreCourse, score_course
from ketaclinic.followup.presenters.crisis import Call, Crisis, call, crisis, safety_words
from ketaclinic.followup.presenters.pages import (
    FollowupCard,
    FollowupPage,
    Question,
    chart_card,
    followup_page,
    ordered,
    questions,
    told,
)

__all__ = [
    "AlertLine",
    "Call",
    "Crisis",
    "FollowupCard",
    "FollowupPage",
    "Question",
    "ScoreCourse",
    "alert_line",
    "call",
    "chart_card",
    "crisis",
    "followup_page",
    "ordered",
    "questions",
    "role_words",
    "safety_words",
    "score_course",
    "state_of",
    "told",
]
