"""The `dianjin` command: one thin function a subcommand, heavy imports inside."""

from dianjin_ext.cli import (
    card,
    chat,
    checkpoints,
    data,
    evaluation,
    installation,
    recipes,
    report,
    rewards,
    steps,
    verifier,
)
from dianjin_ext.cli.app import app, main

__all__ = [
    "app",
    "card",
    "chat",
    "checkpoints",
    "data",
    "evaluation",
    "installation",
    "main",
    "recipes",
    "report",
    "rewards",
    "steps",
    "verifier",
]
