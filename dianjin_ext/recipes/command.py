"""What `dianjin recipe` shows."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes.commands import Command, commands
from dianjin_ext.recipes.places import Run
from dianjin_ext.recipes.recipe import get_recipe, recipe_names
from dianjin_ext.recipes.redirect import asking
from dianjin_ext.resources import folder


def recipe_command(
    name: str | None,
    stage: str | None,
    extra: Sequence[str],
    *,
    size: str | None,
    platform: str,
    methods: Sequence[str],
    model: str | None,
    ask_url: str | None,
    ask_model: str | None,
    null: bool,
) -> None:
    """Show the recipes, the commands of a recipe, or those of a stage.

    Args:
        name: Of a recipe; None shows which there are.
        stage: Of a stage; None shows all.
        extra: Words for the stage's program.
        size: A file of `configs/size`; None is the first that the recipe has a model for.
        platform: A file of `configs/platform`.
        methods: Files of `configs/method`.
        model: In the place of the stage's own; without a stage, of the one to start from.
        ask_url: Who is asked in the place of teachers and judges; see `redirect.asking`.
        ask_model: The model's name there.
        null: Write the words with a null character after each, and one more after each command.

    Raises:
        DianjinError: A name is not known, or a file is wrong.
    """
    here = Path("configs")
    configs = here if (here / "stages").is_dir() else folder("configs")
    if name is None:
        _list(configs)
        return
    recipe = get_recipe(name, configs)
    run = Run(
        size=size or next(iter(recipe.base)),
        platform=platform,
        methods=tuple(methods),
        base=None if stage else model,
        configs=str(configs),
    )
    if model == "":
        raise DianjinError("--model is empty; leave it out for the recipe's own")
    if (ask_url is None) != (ask_model is None):
        raise DianjinError("--ask-url and --ask-model go together")

    def made(each: str) -> list[Command]:
        asked: tuple[str, ...] = ()
        if ask_url is not None and ask_model is not None:
            asked = asking(recipe, each, run, url=ask_url, model=ask_model)
        return commands(recipe, each, run, (*asked, *extra), model=model if stage else None)

    if null:
        for command in made(stage or ""):
            sys.stdout.write("".join(f"{word}\0" for word in (*command.argv(), "")))
        return
    console = Console(highlight=False, emoji=False)
    shown = {each: made(each) for each in ([stage] if stage else recipe.stages)}  # all or nothing
    for each, its in shown.items():
        if not stage:
            console.print(f"# {each}", style="bold", markup=False)
        for command in its:
            console.print(str(command), markup=False, soft_wrap=True)


def _list(configs: Path) -> None:
    table = Table("recipe", "what it does", "sizes", "stages")
    for name in recipe_names(configs):
        recipe = get_recipe(name, configs)
        table.add_row(name, recipe.about, ", ".join(recipe.base), ", ".join(recipe.stages))
    console = Console(highlight=False, emoji=False)
    console.print(table)
    console.print("`dianjin recipe NAME` shows its commands; docs/recipes.md explains them")
