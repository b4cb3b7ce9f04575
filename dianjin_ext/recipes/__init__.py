"""Published systems as stages, and the commands of each stage.

`configs/stages/NAME.yaml` names the stages; what they do stands in the files that they name:
`configs/data` (pipelines), `configs/sft.yaml` and `configs/sft` (LLaMA-Factory), `configs/rl.yaml`
and its groups (verl), `configs/eval` (`dianjin eval`).
"""

from dianjin_ext.recipes.commands import Command, commands
from dianjin_ext.recipes.places import Run
from dianjin_ext.recipes.recipe import Recipe, Stage, get_recipe, recipe_names
from dianjin_ext.recipes.redirect import asking

__all__ = ["Command", "Recipe", "Run", "Stage", "asking", "commands", "get_recipe", "recipe_names"]
