"""Plans from playbooks: YAML files that say how a kind of request is done. No model is needed.

The shipped playbooks are beside this package, in `orchestrator/playbooks`, with the JSON Schema of
the format. A playbook in a user's folder takes the place of a shipped one of the same name.
"""

from orchestrator.planner.playbook.document import Place, PlaybookError
from orchestrator.planner.playbook.library import SHIPPED, PlaybookPlanner
from orchestrator.planner.playbook.plan import Playbook, load

__all__ = ["SHIPPED", "Place", "Playbook", "PlaybookError", "PlaybookPlanner", "load"]
