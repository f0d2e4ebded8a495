"""What can be done with scores. The only modules of this slice that touch the workspace."""

from sfactl.scoring.usecases.explaining import explain
from sfactl.scoring.usecases.look import check, count_matrix, list_scores, show
from sfactl.scoring.usecases.running import run

__all__ = ["check", "count_matrix", "explain", "list_scores", "run", "show"]
