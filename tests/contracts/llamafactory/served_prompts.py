"""Ask the local server that `dianjin eval` starts for the tokens of prompts.

    python served_prompts.py REQUEST.json ANSWER.json

REQUEST is that of verl_prompts.py; folders with a `template` for verl alone are left out. The model
of a folder is served, and `/tokenize` gets the messages as they stand.
"""

import json
import sys
import urllib.request
from pathlib import Path

from dianjin_ext.inference.server import serving


def tokens(url, messages, options):
    body = {"messages": messages, "chat_template_kwargs": options}
    request = urllib.request.Request(
        url.removesuffix("/v1") + "/tokenize",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["tokens"]


def main(request_file, answer_file):
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    answer, done = {}, {}
    for name, how in request["tokenizers"].items():
        if how["template"]:
            continue
        path = Path(how["path"])
        _, template, _ = name.split()
        key = (template, json.dumps(how["options"]))
        if key not in done:  # a template is served once for what it is told
            with serving(path, log=path.with_suffix(".log"), engine="local") as url:
                done[key] = [tokens(url, each, how["options"]) for each in request["prompts"]]
        answer[name] = done[key]
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
