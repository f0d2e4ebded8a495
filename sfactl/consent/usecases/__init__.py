"""What ``sfactl consent`` does."""

from sfactl.consent.usecases.lists import import_list, suppressed
from sfactl.consent.usecases.looking import history, show, topics
from sfactl.consent.usecases.recording import grant, import_words, withdraw
from sfactl.consent.usecases.setting_up import set_up

__all__ = ["grant", "history", "import_list", "import_words", "set_up", "show", "suppressed", "topics", "withdraw"]
