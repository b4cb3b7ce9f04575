"""`dianjin doctor --server`: does a running server give what was trained?"""

from dianjin_ext.hosts.doctor.server.diagnose import diagnose_server

__all__ = ["diagnose_server"]
