"""Compares what our trainer did, file by file, with the same computed by PyTorch on the models of `transformers`.

    python certify_gradients.py FOLDER [--faults] [--store FILE]

FOLDER holds the files that `npm run bench -- gradients` writes: batch, draws, weights and gradients of a few updates of one method on
one family. Prints a line of JSON for each: the largest relative differences of the starting values, the gradients, the updates and
the weights kept in the end. With --faults each method is computed once more with each of its faults planted. --store writes what
PyTorch computed, two numbers a tensor, for the test that needs no Python.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from safetensors import safe_open
from transformers.utils import logging

from certified_methods import method_of
from certified_model import CertifiedModel, Draws

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
logging.disable_progress_bar()

# A gradient that only rounding keeps from zero is held to a hundredth of the largest one.
ROUNDING = 1e-6
MODELS = {}


class Run:
    """What a file says."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.meta = json.loads(file.metadata()["case"])
            tensors = {name: file.get_tensor(name).double() for name in file.keys()}
        meta = self.meta
        key = (meta["folder"], json.dumps(meta["dropouts"]))
        if key not in MODELS:
            MODELS.clear()
            MODELS[key] = CertifiedModel(meta["folder"], meta["dropouts"])
        self.model = MODELS[key]
        self.layouts, self.order, self.loaded = meta["layouts"], meta["order"], meta["loaded"]
        self.steps, self.optimizer = meta["steps"], meta["optimizer"]
        self.mixes, self.batches = meta["mixes"], meta["batches"]
        below = lambda prefix: {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
        self.weights = [below(f"weights/{step}/") for step in range(self.steps + 1)]
        self.gradients = [below(f"gradients/{step}/") for step in range(1, self.steps + 1)]
        self.kept, self.teacher = below("final/"), below("teacher/")
        self.drawn = [
            (draw["step"], draw["kind"], draw["weight"], tensors[f"draws/{n}"]) for n, draw in enumerate(meta["draws"])
        ]
        rows = meta["rows"]
        self.inputs = tuple(torch.tensor(rows[name]) for name in ("inputIds", "attentionMask", "tokenTypeIds"))
        self.labels = torch.nn.functional.one_hot(torch.tensor(rows["labels"]), len(rows["logits"][0])).double()
        self.row_weights = torch.tensor(meta["rowWeights"]).double()
        self.forget()

    def forget(self):
        """As before the run: no moments, every draw still to be made."""
        self.state, self.near = {}, {}
        steps = range(-1, self.steps + 1)
        self.draws = {step: Draws([(k, w, v) for at, k, w, v in self.drawn if at == step]) for step in steps}

    def in_checkpoint(self, name, value, spread=False):
        """A value in the layout of our variable as the checkpoint has it; `spread`: one that broadcasts."""
        layout = self.layouts[name]
        if spread:
            value = value.expand(layout["shape"])
        value = value.T if layout["linear"] and value.dim() > 1 else value
        return value.reshape(self.weights[0][name].shape)

    def in_model(self, name, value):
        """The other way round."""
        if name not in self.layouts:
            return value
        layout = self.layouts[name]
        if layout["linear"]:
            return value.reshape(*reversed(layout["shape"])).T
        return value.reshape(layout["shape"])


def largest(difference, got, wanted, passed=None, spacing=None):
    """
    The largest difference relative to the largest number of the same tensor, and where; infinite where names differ. Entries in `passed`
    are not compared, and `spacing` is what the rounding of a written weight may add.
    """
    if set(got) != set(wanted):
        odd = sorted(set(got) ^ set(wanted))
        return max(difference, (float("inf"), f"only one side has {odd[0]}"))
    sizes = {name: value.abs().max().item() for name, value in wanted.items()}
    most = max(sizes.values(), default=0)
    for name, value in wanted.items():
        apart = (got[name] - value).abs()
        if spacing:
            apart = (apart - spacing[name]).clamp_min(0)
        if passed and name in passed:
            apart = apart[~passed[name]]
        scale = most / 100 if sizes[name] < ROUNDING * most else sizes[name]
        relative = (apart.max().item() if apart.numel() else 0.0) / scale if scale > 0 else apart.max().item()
        if relative != relative:
            relative = float("inf")
        difference = max(difference, (relative, name))
    return difference


# A fault that shows by as much need not be followed to the end.
ENOUGH = 1e-2


def made(run, fault=None):
    options = [each["options"] for each in run.meta["methods"]]
    return method_of(run.meta["case"])(run, options[0] if len(options) == 1 else options, fault)


def certify(run, fault=None):
    """The differences by part. With a fault, up to the first part that shows it."""
    run.forget()
    shows = lambda found: fault is not None and found[0] > ENOUGH
    method = made(run, fault)
    none = (0.0, "")
    loaded = {name: p.detach() for name, p in run.model.model.named_parameters()}
    begun = method.start(loaded)
    own = {n: w for n, w in run.weights[0].items()}
    found = {"start": largest(none, {n: own[n] for n in own}, {n: begun[n] for n in own if n in begun})}
    gradients, updates = none, none
    if shows(found["start"]):
        return {**found, "gradients": none, "updates": none, "kept": none}
    for step in range(1, run.steps + 1):
        weights, after = run.weights[step - 1], run.weights[step]
        ours = run.gradients[step - 1]
        gradients = largest(gradients, ours, method.gradient(weights, run.draws[step - 1], step), method.undecided)
        if shows(gradients):
            return {**found, "gradients": gradients, "updates": updates, "kept": none}
        left = run.draws[step - 1].left()
        if left and fault is None:
            raise AssertionError(f"{left} draws of the other side at step {step} were not made here")
        # From our gradient, so that this looks at the update alone.
        run.near = {}
        written = method.written(step, weights, method.updates(step, weights, ours))
        moved = {n: after[n] - weights[n] for n in weights if n in written or bool((after[n] != weights[n]).any())}
        wanted = {n: written[n] - weights[n] for n in written}
        spacing = {n: torch.maximum(weights[n].abs(), after[n].abs()) * 2**-23 for n in written}
        updates = largest(updates, moved, wanted, run.near, spacing)
        if shows(updates):
            return {**found, "gradients": gradients, "updates": updates, "kept": none}
    found["gradients"], found["updates"] = gradients, updates
    kept = method.final([{n: w[n] for n in w} for w in run.weights])
    found["kept"] = largest(none, run.kept, {n: kept[n] for n in run.kept})
    return found


def summary(values):
    """Two numbers a tensor: its norm, and its product with the cosines of 0, 1, 2 ... in order."""
    pair = lambda v: (v.norm(), (v.flatten() * torch.arange(v.numel()).double().cos()).sum())
    return {name: [float(f"{x:.6g}") for x in pair(value)] for name, value in values.items()}


def golden(run):
    """What PyTorch says of a run: its starting values where they are not the checkpoint's, its last gradient, its last weights."""
    run.forget()
    method = made(run)
    loaded = {name: p.detach() for name, p in run.model.model.named_parameters()}
    begun = method.start(loaded)
    decided = lambda own, ours, passed: {n: torch.where(passed[n], ours[n], v) if passed and n in passed else v for n, v in own.items()}
    for step in range(1, run.steps + 1):
        weights, ours, run.near = run.weights[step - 1], run.gradients[step - 1], {}
        gradient = decided(method.gradient(weights, run.draws[step - 1], step), ours, method.undecided)
        written = decided(method.written(step, weights, method.updates(step, weights, ours)), run.weights[step], run.near)
    kept = method.final([*run.weights[:-1], {**run.weights[-1], **written}])
    return {
        "start": summary({n: w for n, w in begun.items() if n not in loaded or bool((w != loaded[n]).any())}),
        "gradient": summary(gradient),
        "kept": summary({n: kept[n] for n in run.kept}),
    }


def attempt(run, fault=None):
    try:
        return {part: {"difference": value, "at": at} for part, (value, at) in certify(run, fault).items()}
    except AssertionError as error:
        return {"error": str(error)}


def main():
    folder, *flags = sys.argv[1:]
    stored = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        run = Run(path)
        if "--store" in flags:
            stored[run.meta["case"]] = golden(run)
        line = {"family": run.meta["family"], "case": run.meta["case"], "result": attempt(run)}
        if "--faults" in flags:
            method = made(run)
            line["faults"] = {
                name: {"what": what, "result": attempt(run, name)} for name, what in method.faults.items() if not method.lacks(name)
            }
        print(json.dumps(line).replace("Infinity", "1e999"), flush=True)
    if "--store" in flags:
        names = sorted({name for found in stored.values() for part in found.values() for name in part})
        place = {name: index for index, name in enumerate(names)}
        rows = lambda part: [[place[name], *pair] for name, pair in part.items()]
        packed = {case: {part: rows(values) for part, values in found.items()} for case, found in stored.items()}
        short = lambda value: json.dumps(value, separators=(",", ":"))
        lines = ",\n".join(f"{json.dumps(case)}:{short(found)}" for case, found in packed.items())
        text = f'{{"names":{short(names)},\n"cases":{{\n{lines}\n}}}}\n'
        Path(flags[flags.index("--store") + 1]).write_text(text)


main()
