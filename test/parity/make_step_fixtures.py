"""Runs the published code of three variants of SAM, of SPD and of Cutoff on small fixed numbers and stores what it gives.

    python make_step_fixtures.py --asam DIR --gsam DIR --friendly DIR --spd DIR --cutoff DIR --out ../fixtures

Each DIR is a checkout, none of which is part of this repository:
    asam      SamsungLabs/ASAM                    f156a680171db16d551c0d85cba2514fa3bff6a2
    gsam      juntang-zhuang/GSAM                 a770275b3324a3ed4bf4a1cddb976b2782ba852b
    friendly  nblt/F-SAM                          2e2f9899ab473880430640fa5def4ad8f5aa2401
    spd       GT-RIPL/Selective-Projection-Decay  b37769554267bc4d3ce8e3d859d8aa3d2ddabe93
    cutoff    dinghanshen/Cutoff                  497856395e8772a34ce4b6ba6d1b541276e85929

Needs torch alone: of files that import more, single classes and functions are taken. Everything is computed in float64.
Nothing here reproduces a formula: numbers come out of the published functions.
"""

import argparse
import ast
import math
import types
from pathlib import Path

import torch
from torch.nn import functional

from make_fixtures import drawn, load, numbers, write


def taken(folder, path, name, **globals):
    """A class or function of a file, without the rest of it."""
    tree = ast.parse((Path(folder) / path).read_text())
    [node] = [n for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.FunctionDef)) and n.name == name]
    space = {"torch": torch, "F": functional, "math": math, **globals}
    exec(compile(ast.Module([node], []), path, "exec"), space)
    return space[name]


class Weights(torch.nn.Module):
    """A kernel and a bias, under the names by which ASAM tells them apart."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(drawn(2, 3))
        self.bias = torch.nn.Parameter(drawn(3))

    def take(self, gradients):
        for name, parameter in self.named_parameters():
            parameter.grad = gradients[name].clone()

    def values(self):
        return {name: parameter.detach().clone() for name, parameter in self.named_parameters()}


def gradients():
    return {"weight": drawn(2, 3), "bias": drawn(3)}


def stored(tensors):
    return {name: numbers(tensor) for name, tensor in tensors.items()}


def difference(after, before):
    return {name: after[name] - before[name] for name in after}


def asam(folder):
    torch.manual_seed(1)
    model, gradient = Weights(), gradients()
    before = model.values()
    model.take(gradient)
    method = load(folder, "asam.py", "asam").ASAM(torch.optim.SGD(model.parameters(), lr=1), model, rho=0.5, eta=0.01)
    method.ascent_step()
    return {
        **{"radius": 0.5, "eta": 0.01, "weights": stored(before), "gradients": stored(gradient)},
        "offsets": stored(difference(model.values(), before)),
    }


def gsam(folder):
    torch.manual_seed(2)
    model, here, there = Weights(), gradients(), gradients()
    schedule = types.SimpleNamespace(step=lambda: 0.05)
    method = taken(folder, "gsam/gsam.py", "GSAM", ReduceOp=torch.distributed.ReduceOp)(
        model.parameters(), torch.optim.SGD(model.parameters(), lr=1), model, gsam_alpha=0.4, rho_scheduler=schedule
    )
    model.take(here)
    method.perturb_weights(rho=method.rho_t)
    model.take(there)
    method.gradient_decompose(method.alpha)
    final = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"alpha": 0.4, "here": stored(here), "there": stored(there), "final": stored(final)}


def friendly(folder):
    torch.manual_seed(3)
    model = Weights()
    method = taken(folder, "utils.py", "FriendlySAM")(
        model.parameters(), torch.optim.SGD, rho=0.05, sigma=1, lmbda=0.9, lr=0.0
    )
    steps = []
    for _ in range(3):
        gradient, before = gradients(), model.values()
        model.take(gradient)
        method.first_step()
        offsets = difference(model.values(), before)
        method.second_step(zero_grad=True)
        steps.append({"gradients": stored(gradient), "offsets": stored(offsets)})
    return {"radius": 0.05, "sigma": 1, "lambda": 0.9, "steps": steps}


def spd(folder):
    """Weights after each step, first with a gradient that goes on, then with one that turns back."""
    torch.manual_seed(4)
    model = Weights()
    start = model.values()
    method = load(folder, "adamSPD.py", "adamSPD").AdamSPD(
        [{"params": list(model.parameters()), "pre": [value.clone() for value in start.values()]}],
        lr=0.1,
        weight_decay=0.7,
    )
    steps = []
    for sign in [1, 1, -1, 1, -1, -1]:
        gradient = {name: sign * value.abs() for name, value in gradients().items()}
        model.take(gradient)
        method.step()
        steps.append({"gradients": stored(gradient), "weights": stored(model.values())})
    return {"learningRate": 0.1, "weight": 0.7, "start": stored(start), "steps": steps}


class InjectedDraws:
    """torch, but for rand and randint, which take their numbers from lists."""

    def __init__(self, uniform, integers):
        self.uniform, self.integers = list(uniform), list(integers)

    def __getattr__(self, name):
        return getattr(torch, name)

    def rand(self, _):
        return torch.tensor([self.uniform.pop(0)])

    def randint(self, high, size):
        [count] = size
        drawn = [int(u * int(high)) for u in self.integers.pop(0)]
        return torch.tensor(drawn[:count])


def cutoff(folder):
    path, ratio = "transformers/trainer.py", 0.3
    lengths, positions, width = [10, 7, 4], 10, 10
    embeds = torch.ones(len(lengths), positions, width)
    masks = torch.tensor([[1] * n + [0] * (positions - n) for n in lengths])
    trainer = types.SimpleNamespace(args=types.SimpleNamespace(aug_cutoff_ratio=ratio, device="cpu"))
    draws = [[0.05, 0.62, 0.97], [0.31, 0.88, 0.4], [0.76, 0.1, 0.5]]
    starts = [0.12, 0.55, 0.93]
    result = {"ratio": ratio, "lengths": lengths, "positions": positions, "draws": draws, "starts": starts}
    for kind in ["span", "token", "dim"]:
        name = f"generate_{kind}_cutoff_embedding"
        method = taken(folder, path, name, torch=InjectedDraws(starts, draws))
        kept, mask = method(trainer, embeds, masks, torch.sum(masks, dim=1))
        result[kind] = {"kept": numbers(kept[:, 0] if kind == "dim" else kept[:, :, 0]), "mask": mask.tolist()}
    torch.manual_seed(5)
    first, second = drawn(4, 3), drawn(4, 3)
    divergence = taken(folder, path, "js_div")(torch.softmax(first, 1), torch.softmax(second, 1))
    return {**result, "first": numbers(first), "second": numbers(second), "divergence": numbers(divergence)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["asam", "gsam", "friendly", "spd", "cutoff", "out"]:
        parser.add_argument(f"--{name}", required=True, metavar="DIR")
    arguments = parser.parse_args()
    write(
        arguments.out,
        "sam",
        {"asam": asam(arguments.asam), "gsam": gsam(arguments.gsam), "friendly": friendly(arguments.friendly)},
    )
    write(arguments.out, "spd", spd(arguments.spd))
    write(arguments.out, "cutoff", cutoff(arguments.cutoff))


if __name__ == "__main__":
    main()
