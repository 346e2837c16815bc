"""The methods that change weights as they are read: each from its paper's formula in PyTorch, with faults that can be planted."""

import math
import re

import torch

from certified_method import PADDING, Method


class Mixout(Method):
    faults = {
        "scale": "the factor 1 / (1 - p) left out",
        "mask": "the features kept that are mixed",
        "detach": "the gradient of the other option",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        p = self.o["p"]
        mixed = dict(weights)
        for name in weights:
            if not self.model.kernel(name) or self.model.fresh(name):
                continue
            mask = self.run.in_checkpoint(name, draws.of_weight[name].popleft(), spread=True)
            w, u = weights[name], self.run.weights[0][name]
            if self.is_("mask"):
                mask = 1 - mask
            factor = 1 if self.is_("scale") else 1 / (1 - p)
            exact = u + (w - u) * mask * factor
            reference = (self.o["gradient"] == "reference") != self.is_("detach")
            mixed[name] = exact.detach() + (w - w.detach()) * mask if reference else exact
        return self.mean(self.task(self.main(mixed, draws)))


class LoRA(Method):
    """W + s B A; DoRA: m V / ||V||, the norms constants."""

    faults = {
        "scale": "scaled by alpha alone",
        "sign": "the product taken away",
        "detach": "A held constant, with dora the norms not",
        **PADDING,
    }

    def targets(self):
        """Query and value, or every linear map where a model has neither."""
        linear = [n for n in self.model.names if self.model.kernel(n) and not self.model.fresh(n)]
        named = [n for n in linear if self.module(n).rsplit(".", 1)[-1] in ("query", "value")]
        return named or linear

    def module(self, name):
        """XLNet's attention has parameters without a module."""
        return re.sub(r"\.(weight|bias)$", "", name)

    def trained(self, step):
        own = [name for name in self.run.weights[0] if name not in self.model.names]
        biases = {f"{self.module(n)}.bias" for n in self.targets()} if self.o["bias"] == "lora_only" else set()
        return [n for n in self.model.names if self.model.fresh(n) or n in biases] + own

    def decays(self, name):
        return super().decays(name) if name in self.model.names else not name.endswith("magnitude_vector")

    def merged(self, weights):
        full = {name: weights[name] for name in self.model.names}
        for name in self.targets():
            prefix = f"{'dora' if self.o['dora'] and f'dora/{self.module(name)}.lora_A' in weights else 'lora'}/{self.module(name)}."
            down, up = weights[f"{prefix}lora_A"], weights[f"{prefix}lora_B"]
            if self.is_("detach") and not self.o["dora"]:
                down = down.detach()
            scale = self.o["alpha"] / (1 if self.is_("scale") else self.o["rank"])
            product = self.run.in_checkpoint(name, self.signed(scale * down @ up))
            full[name] = weights[name] + product
            if self.o["dora"]:
                # [out, in]: what leads to an output is a row; XLNet's kernels but one are stored the other way round.
                outputs_first = self.run.layouts[name]["linear"]
                flat = full[name].flatten(1) if outputs_first else full[name].reshape(full[name].shape[0], -1)
                axis = 1 if outputs_first else 0
                lengths = flat.norm(dim=axis, keepdim=True)
                lengths = lengths if self.is_("detach") else lengths.detach()
                magnitude = weights[f"{prefix}lora_magnitude_vector"].unsqueeze(axis)
                full[name] = (magnitude * flat / lengths).reshape(full[name].shape)
        return full

    def start(self, loaded):
        expected = dict(loaded)
        for name in self.run.order[0]:  # as they were made
            if name in self.model.names:
                continue
            value = self.run.weights[0][name]
            module = name.split("/", 1)[1].rsplit(".", 1)[0]  # without .lora_A and the like
            if name.endswith("lora_A"):
                drawn = self.run.draws[-1].next("uniform", value.shape)
                assert drawn.abs().max() <= 1 / math.sqrt(value.shape[0])
                expected[name] = drawn
            elif name.endswith("lora_B"):
                expected[name] = torch.zeros_like(value)
            else:
                kernel = next(n for n in self.targets() if self.module(n) == module)
                flat = loaded[kernel].flatten(1)
                expected[name] = flat.norm(dim=1) if self.run.layouts[kernel]["linear"] else flat.norm(dim=0)
        return expected

    def loss(self, weights, draws, step):
        return self.mean(self.task(self.main(self.merged(weights), draws)))

    def final(self, weights):
        return self.merged(weights[-1])
