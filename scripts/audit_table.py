"""Print the table of the audit that stands in README, as Markdown.

python scripts/audit_table.py [PRESET]
"""

import sys

from dianjin_ext.audit import audit, other_graders, our_grader, own_reward_grader
from dianjin_ext.audit.command import markdown
from dianjin_ext.hosts.verl.scorers import graders

preset = sys.argv[1] if len(sys.argv) > 1 else None
ours = [our_grader(preset), own_reward_grader(preset)]
print(markdown(audit([*ours, *other_graders(), *graders()])))
