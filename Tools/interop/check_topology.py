"""Ranks of `sluice shard --ranks --json` beside Megatron-core's own RankGenerator and torch's DeviceMesh layout.

    SLUICE=.build/release/sluice VENV/bin/python Tools/interop/check_topology.py

Makes a small store, then for each shape and order compares tp, cp, dp and pp of every rank.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
from megatron.core.parallel_state import RankGenerator  # noqa: E402

SLUICE = os.environ["SLUICE"]
SHAPES = [(1, 1, 1, 1), (8, 1, 1, 1), (16, 2, 2, 2), (24, 1, 1, 3), (48, 4, 1, 4), (60, 1, 5, 2), (64, 8, 1, 8), (96, 2, 3, 4),
          (100, 1, 1, 5), (128, 8, 2, 1), (1000, 8, 1, 5), (1024, 8, 1, 8), (2048, 8, 2, 16)]
ORDERS = ["tp-cp-ep-dp-pp", "tp-cp-ep-pp-dp"]


def generated(gpus, tensor, context, pipeline, order):
    """Coordinates of every rank, from the groups that Megatron makes: a rank's place in its group is its coordinate."""
    data = gpus // (tensor * context * pipeline)
    generator = RankGenerator(tp=tensor, ep=1, dp=data, pp=pipeline, cp=context, order=order)
    places = [{} for _ in range(gpus)]
    for axis in "tp", "cp", "dp", "pp":
        for group in generator.get_ranks(axis):
            for place, rank in enumerate(group):
                places[rank][axis] = place
    return places


def mesh(gpus, tensor, context, pipeline):
    """torch's DeviceMesh of (pp, dp, cp, tp), as torchtitan, OLMo-core and nanotron build it: row-major over the ranks."""
    import torch
    data = gpus // (tensor * context * pipeline)
    ranks = torch.arange(gpus).reshape(pipeline, data, context, tensor)
    places = [{} for _ in range(gpus)]
    for index in torch.cartesian_prod(*(torch.arange(n) for n in ranks.shape)).reshape(-1, 4).tolist():
        pp, dp, cp, tp = index
        places[int(ranks[pp, dp, cp, tp])] = {"tp": tp, "cp": cp, "dp": dp, "pp": pp}
    return places


def ours(store, gpus, tensor, context, pipeline, framework, order=None):
    command = [SLUICE, "shard", store, "--gpus", str(gpus), "--tensor-parallel", str(tensor), "--context-parallel",
               str(context), "--pipeline-parallel", str(pipeline), "--framework", framework, "--context", "240",
               "--packing", "concat", "--ranks", "--json", "--quiet"]
    if order:
        command += ["--rank-order", order]
    ranks = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["ranks"]
    return [{axis: rank[axis] for axis in ("tp", "cp", "dp", "pp")} for rank in ranks]


def main():
    failures = checks = 0
    with tempfile.TemporaryDirectory() as work:
        lines = os.path.join(work, "documents.jsonl")
        with open(lines, "w") as f:
            for number in range(200):
                f.write(json.dumps({"id": str(number), "text": "some words of document %d " % number * 20}) + "\n")
        run = lambda *words: subprocess.run([SLUICE, *words, "--quiet"], check=True)  # noqa: E731
        run("train", lines, "--vocab-size", "300", "-o", os.path.join(work, "tok"))
        store = os.path.join(work, "store")
        run("tokenize", lines, "--tokenizer", os.path.join(work, "tok"), "--split", "none", "-o", store)
        for shape in SHAPES:
            for order in ORDERS:
                checks += 1
                if ours(store, *shape, "megatron", order) != generated(*shape, order):
                    print("FAIL megatron", shape, order)
                    failures += 1
            for framework in "torchtitan", "olmo", "nanotron":
                checks += 1
                if ours(store, *shape, framework) != mesh(*shape):
                    print("FAIL", framework, shape)
                    failures += 1
            if shape[2] == 1:  # DeepSpeed's pipeline topology has no context axis: (pipe, data, model)
                for framework in "deepspeed", "gpt-neox":
                    checks += 1
                    if ours(store, *shape, framework) != mesh(*shape):
                        print("FAIL", framework, shape)
                        failures += 1
    print("topology: %d shapes and orders beside RankGenerator and DeviceMesh, %d failures" % (checks, failures))
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
