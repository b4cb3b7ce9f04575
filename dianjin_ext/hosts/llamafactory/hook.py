"""The `torch.backends` entry point: called once by `import torch`."""


def install() -> None:
    """Install the lazy import hook."""
