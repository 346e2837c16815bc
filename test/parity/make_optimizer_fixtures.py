"""Runs published optimizers over 30 steps on small weights with given gradients and stores the weights on the way.

    python make_optimizer_fixtures.py --automl DIR --c-optim DIR --out ../fixtures

Each DIR is a checkout, none of which is part of this repository:
    automl    google/automl          6a54c8741e7c3265d4547c4f35f47a0391122dc5 (lion/lion_pytorch.py alone is read)
    c-optim   kyleliang919/C-Optim   2c0517c4db2e50b56d389ba4803eab1f4b3b8ae3 (c_adamw.py alone is read)

Needs torch and transformers, whose Adafactor is run (the stored files are those of torch 2.15, transformers 5.24). Everything is
computed in float64. Nothing here reproduces a formula: numbers come out of the published classes.
"""

import argparse
import importlib.util
import json
import sys
import types
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)

SHAPES = {"hidden.kernel": (2, 3), "hidden.bias": (3,), "head.kernel": (3, 2), "head.bias": (2,)}
STEPS = 30
SEEN = (1, 2, 10, 30)


class Anything(types.ModuleType):
    """Stands for a module of which the file at hand uses nothing on the way we take."""

    def __getattr__(self, name):
        return lambda *values, **named: values[0] if values and callable(values[0]) else self


def load(folder, path, stand_ins=()):
    """A module from a file, in a package of its own whose other modules are `stand_ins`."""
    package = Path(path).stem + "_package"
    for name in (package, *(f"{package}.{name}" for name in stand_ins)):
        sys.modules[name] = Anything(name)
    spec = importlib.util.spec_from_file_location(f"{package}.{Path(path).stem}", Path(folder) / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(shape, deviation):
    return (torch.randn(*shape) * deviation).mul(100).round().div(100)


def run(create):
    """Weights before, gradients, and weights after the steps of SEEN, under an optimizer."""
    torch.manual_seed(11)
    start = {name: drawn(shape, 0.5) for name, shape in SHAPES.items()}
    gradients = [{name: drawn(shape, 0.3) for name, shape in SHAPES.items()} for _ in range(STEPS)]
    weights = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = create(list(weights.values()))
    seen = {}
    for step, gradient in enumerate(gradients, 1):
        for name, parameter in weights.items():
            parameter.grad = gradient[name].clone()
        optimizer.step()
        if step in SEEN:
            seen[step] = numbers(weights)
    return {"start": numbers(start), "gradients": [numbers(gradient) for gradient in gradients], "weights": seen}


def numbers(tensors):
    shorten = lambda v: [shorten(x) for x in v] if isinstance(v, list) else float(f"{v:.10g}")
    return {name: shorten(tensor.detach().tolist()) for name, tensor in tensors.items()}


def main():
    parser = argparse.ArgumentParser()
    for name in ("automl", "c-optim", "out"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    from transformers.optimization import Adafactor

    lion = load(args.automl, "lion/lion_pytorch.py")
    c_adamw = load(args.c_optim, "c_adamw.py", ("opt_utils",))
    runs = {
        "lion": lambda p: lion.Lion(p, lr=0.01, betas=(0.9, 0.99), weight_decay=0.1),
        "adafactor": lambda p: Adafactor(p, lr=0.01, scale_parameter=False, relative_step=False, weight_decay=0.1),
        "adafactor relative": lambda p: Adafactor(p),
        "adafactor warm-up, momentum": lambda p: Adafactor(p, warmup_init=True, beta1=0.9, clip_threshold=0.5),
        "cautious adamw": lambda p: c_adamw.AdamW(p, lr=0.01, eps=1e-8, foreach=False, no_deprecation_warning=True),
    }
    results = {name: run(create) for name, create in runs.items()}
    shared = {key: results["lion"][key] for key in ("start", "gradients")}
    content = {**shared, "weights": {name: result["weights"] for name, result in results.items()}}
    with open(Path(args.out) / "replaced-optimizers.json", "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")


main()
