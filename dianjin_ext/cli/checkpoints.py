"""Commands on checkpoints: merge."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import app


@app.command()
def merge(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CKPT... OUT",
            help="global_step_N or its actor folder (several where ranks lie apart), then the "
            "folder for the Hugging Face model. Both may be URLs, such as s3://…",
        ),
    ],
    base_model: Annotated[
        Path | None,
        typer.Option(help="Folder with configuration and tokenizer, where CKPT lacks them."),
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="keep, or convert the weights to bf16, fp16 or fp32.")
    ] = "keep",
    max_shard_size: Annotated[str, typer.Option(help="Largest safetensors file.")] = "5GB",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is in OUT.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the files that an interrupted merge finished.")
    ] = False,
    sums: Annotated[bool, typer.Option("--sums", help="Write SHA256SUMS into OUT.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read OUT again and compare it; includes --sums.")
    ] = False,
    merge_lora: Annotated[
        bool, typer.Option("--merge-lora", help="Merge a LoRA adapter into the base weights.")
    ] = False,
    lora_alpha: Annotated[
        float | None, typer.Option(help="The adapter's alpha, where CKPT does not say it.")
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="ORG/NAME",
            help="Upload OUT to a model hub once it is verified (HF_TOKEN, HF_ENDPOINT).",
        ),
    ] = None,
    io_limit: Annotated[
        str | None, typer.Option(help="Bytes written a second at most, such as 200MB.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the merged folder OUT, without CKPT.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the checkpoint and show the plan only.")
    ] = False,
) -> None:
    """Merge an FSDP checkpoint of verl.

    OUT is a folder in Hugging Face format, or appears not at all.
    """
    from dianjin_ext.merge import command
    from dianjin_ext.merge.settings import MergeSettings

    *ckpt, out = paths
    if check:
        if ckpt:
            raise typer.BadParameter("--check takes one folder: OUT")
        command.check(out)
        return
    if not ckpt:
        raise typer.BadParameter("give CKPT and OUT")
    settings = MergeSettings(
        base_model=base_model,
        dtype=dtype,
        max_shard_size=max_shard_size,
        merge_lora=merge_lora,
        lora_alpha=lora_alpha,
        overwrite=overwrite,
        resume=resume,
        sums=sums,
        verify=verify,
    )
    command.run(ckpt, out, settings, dry_run=dry_run, io_limit=io_limit, push=push)
