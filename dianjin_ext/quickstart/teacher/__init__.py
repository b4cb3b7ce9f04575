"""A server that plays teacher, judge and verifier: it knows the truth, and errs at stated rates.

`python -m dianjin_ext.quickstart.teacher` speaks OpenAI's chat protocol and understands the prompts
of `dianjin_ext.data.prompts`, of `dianjin_ext.questions.prompts` and of the judge.
"""

from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.serving import serving_teacher
from dianjin_ext.quickstart.teacher.truth import Truth, truth
from dianjin_ext.quickstart.teacher.world_questions import world_questions

__all__ = ["Rates", "Truth", "serving_teacher", "truth", "world_questions"]
