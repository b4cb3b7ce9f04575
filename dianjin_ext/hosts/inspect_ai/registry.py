"""What the entry point `dianjin_ext` of the group `inspect_ai` loads."""

from dianjin_ext.hosts.inspect_ai.model import WholeTextAPI
from dianjin_ext.hosts.inspect_ai.tasks import TASKS

__all__ = ["TASKS", "WholeTextAPI"]
