"""What can be done with surveys."""

from sfactl.surveys.usecases.alerting import alert
from sfactl.surveys.usecases.importing import import_answers
from sfactl.surveys.usecases.looking import answers, check, show, surveys
from sfactl.surveys.usecases.reporting import report
from sfactl.surveys.usecases.scheduling import schedule, send

__all__ = ["alert", "answers", "check", "import_answers", "report", "schedule", "send", "show", "surveys"]
