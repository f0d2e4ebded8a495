"""What can be done with scores. The only modules of this slice that touch the workspace."""

from sfactl.scoring.usecases.backtesting import backtest
from sfactl.scoring.usecases.explaining import explain
from sfactl.scoring.usecases.look import check, count_matrix, list_scores, show
from sfactl.scoring.usecases.promoting import models, promote
from sfactl.scoring.usecases.running import run
from sfactl.scoring.usecases.training import train

__all__ = [
    "backtest",
    "check",
    "count_matrix",
    "explain",
    "list_scores",
    "models",
    "promote",
    "run",
    "show",
    "train",
]
