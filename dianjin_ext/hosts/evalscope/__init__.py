"""Our benchmarks in EvalScope, as `dj_NAME`; importing this module registers them.

`python -m dianjin_ext.hosts.evalscope` runs them, since EvalScope's own command can't see
benchmarks from outside.
"""

from importlib.util import find_spec

if find_spec("evalscope") is None:
    raise ModuleNotFoundError(
        "EvalScope is missing; pip install 'dianjin-ext[evalscope]' into an environment of its own",
        name="evalscope",
    )

from dianjin_ext.hosts.evalscope.adapters import adapter_name
from dianjin_ext.hosts.evalscope.model import EVAL_TYPE

__all__ = ["EVAL_TYPE", "adapter_name"]
