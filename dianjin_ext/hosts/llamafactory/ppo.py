"""LLaMA-Factory's PPO without its command: `python -m dianjin_ext.hosts.llamafactory.ppo RECIPE`.

LLaMA-Factory 0.9.5 can't start PPO by `llamafactory-cli train`: the command imports the KTO
trainer, which needs TRL 0.18 or later, while its PPO trainer needs TRL 0.9.6 at most. This calls
the same `run_ppo` with the same arguments, and leaves KTO out. Several GPUs:
`torchrun --nproc-per-node 8 -m dianjin_ext.hosts.llamafactory.ppo RECIPE [key=value …]`.
"""


def main() -> None:
    """Train as the YAML file and the `key=value` overrides on the command line say."""
    from llamafactory.hparams import get_train_args
    from llamafactory.train.callbacks import LogCallback
    from llamafactory.train.ppo import run_ppo

    model, data, training, finetuning, generating = get_train_args()
    run_ppo(model, data, training, finetuning, generating, callbacks=[LogCallback()])


if __name__ == "__main__":
    main()
