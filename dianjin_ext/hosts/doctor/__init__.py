"""`dianjin doctor`: tell a broken installation from a good one, and how to mend it."""

from dianjin_ext.hosts.doctor.checks import diagnose
from dianjin_ext.hosts.doctor.findings import Finding, healthy, show

__all__ = ["Finding", "diagnose", "healthy", "show"]
