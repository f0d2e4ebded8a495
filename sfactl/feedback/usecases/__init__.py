"""What can be done with what came back."""

from sfactl.feedback.usecases.mail import AnswerCount, MailResult, ReasonCount, read_bounces, read_replies

__all__ = ["AnswerCount", "MailResult", "ReasonCount", "read_bounces", "read_replies"]
