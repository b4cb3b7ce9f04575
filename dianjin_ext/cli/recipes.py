"""The command on recipes: recipe."""

from typing import Annotated

import typer

from dianjin_ext.cli.app import app


@app.command("recipe")
def recipe(
    name: Annotated[
        str | None, typer.Argument(show_default="all recipes", help="A recipe.")
    ] = None,
    stage: Annotated[
        str | None, typer.Argument(show_default="all stages", help="One of its stages.")
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Added to the stage's command: KEY=VALUE."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            show_default="the first that the recipe has a model for", help="A file of configs/size."
        ),
    ] = None,
    platform: Annotated[str, typer.Option(help="A file of configs/platform.")] = "gpu",
    method: Annotated[
        list[str] | None,
        typer.Option(help="A file of configs/method, such as lora or gspo; repeatable."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            show_default="the recipe's",
            help="A model in the place of the stage's own; without a stage, the one to start from.",
        ),
    ] = None,
    ask_url: Annotated[
        str | None,
        typer.Option(
            show_default="the recipe's",
            help="A server that is teacher and judge in data and RL, asked without a key. The "
            "judge of an evaluation stands in its settings file.",
        ),
    ] = None,
    ask_model: Annotated[str | None, typer.Option(help="The model's name there.")] = None,
    null: Annotated[
        bool, typer.Option("--null", help="For scripts: words that end in a null character.")
    ] = False,
) -> None:
    """Show the commands of a published system's stages.

    Data, SFT, RL, merge, evaluation and serving; each is a command that you can type.
    examples/recipe.sh runs them.
    """
    from dianjin_ext.errors import DianjinError
    from dianjin_ext.recipes.command import recipe_command

    if null and stage is None:
        raise DianjinError("--null needs a recipe and a stage")
    recipe_command(
        name,
        stage,
        extra or [],
        size=size,
        platform=platform,
        methods=method or [],
        model=model,
        ask_url=ask_url,
        ask_model=ask_model,
        null=null,
    )
