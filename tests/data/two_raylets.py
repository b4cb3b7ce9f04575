"""Build one set by both engines, on a cluster of two raylets; prints what was found as JSON."""

import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path


def main(out):
    import ray
    from ray.cluster_utils import Cluster

    from dianjin_ext.data.build import build
    from dianjin_ext.data.manifest import file_digest
    from dianjin_ext.data.pipeline import load_pipeline
    from dianjin_ext.errors import DianjinError
    from dianjin_ext.questions.question import write_questions
    from dianjin_ext.quickstart.teacher.serving import serving_teacher
    from dianjin_ext.quickstart.teacher.world_questions import world_questions
    from dianjin_ext.resources import folder

    world = out / "world.parquet"
    write_questions(world_questions(300, seed=7), world)

    def pipeline(url, name, **own):
        step = "cflue_all" if name == "dianjin_r1" else "finqa"
        given = [f"files.{step.removesuffix('_all')}={world}", f"steps.{step}.dataset=''"]
        given += ["steps.set.preset=''"]
        for role in ("teacher", "judge", "writer"):
            model = {"model": "t", "base_url": url, "keyless": "true"} | own
            given += [f"models.{role}.{key}={value}" for key, value in model.items()]
        return load_pipeline(folder("configs") / "data" / f"{name}.yaml", given)

    def asked(url):
        with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as reply:
            return json.load(reply)["requests"]

    found = {}
    with tempfile.TemporaryDirectory(prefix="ray") as temporary:
        os.environ["RAY_TMPDIR"] = temporary  # longer paths are too long for its sockets
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        with serving_teacher() as url:
            for engine in ("local", "ray"):
                build(pipeline(url, "dianjin_r1"), out / engine, engine=engine)
                found[engine] = file_digest(out / engine / "set")
            journals = (out / "ray/journal/mcq_answers").glob("*.jsonl")
            found["nodes"] = [path.name for path in journals if path.stat().st_size]

            # what one engine recorded, the other does not ask
            mixed = out / "mixed"
            build(pipeline(url, "fin_r1"), mixed)
            for path in mixed.glob("*.parquet"):
                path.unlink()
            before = asked(url)
            build(pipeline(url, "fin_r1"), mixed, engine="ray")
            found["asked by ray from the other's journal"] = asked(url) - before

            # a budget that is spent ends the build on all nodes, and the same call goes on
            spent = {"budget_requests": 100, "run": "r", "state_dir": str(out / "state")}
            try:
                build(pipeline(url, "fin_r1", **spent), out / "spent", engine="ray")
                found["stopped"] = "it did not stop"
            except DianjinError as error:
                found["stopped"] = str(error)
        ray.shutdown()
        cluster.shutdown()
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
