"""Print the table of the audit that stands in README, as Markdown.

python scripts/audit_table.py [PRESET]
"""

import sys

from dianjin_ext.audit import audit, other_graders, our_grader
from dianjin_ext.audit.command import markdown
from dianjin_ext.hosts.verl.scorers import graders

preset = sys.argv[1] if len(sys.argv) > 1 else None
print(markdown(audit([our_grader(preset), *other_graders(), *graders()])))
