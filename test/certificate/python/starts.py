"""The methods that change starting values: each from its paper's formula in PyTorch, with faults that can be planted."""

import torch

from certified_method import Method


class NoisyTune(Method):
    faults = {
        "sign": "the noise taken away",
        "centre": "the noise one-sided",
        "deviation": "the deviation over n instead of n - 1",
    }

    def start(self, loaded):
        noisy = {}
        for name in self.run.loaded:
            layout = self.run.layouts[name]["shape"]
            uniform = self.run.in_checkpoint(name, self.run.draws[-1].next("uniform", layout))
            w = loaded[name]
            size = w.std(unbiased=not self.is_("deviation")) if w.numel() > 1 else 0
            noisy[name] = w + self.signed((uniform - (0 if self.is_("centre") else 0.5)) * self.o["intensity"] * size)
        return {**loaded, **noisy}


class Reinit(Method):
    faults = {
        "layer": "the layer below",
        "norm": "normalization scales at 0",
        "bias": "biases kept",
        "spread": "kernels at twice the deviation",
        "kernel": "kernels kept",
    }

    def chosen(self, lowest):
        """Names of the weights that start anew."""
        pooler = lambda n: self.model.top(n) and not self.model.fresh(n)
        inside = lambda n: self.model.layer(n) is not None and lowest <= self.model.layer(n) < lowest + self.o["layers"]
        return [n for n in self.model.names if (self.o["pooler"] if pooler(n) else inside(n))]

    def lacks(self, fault):
        """ALBERT's layers share their weights, which lower ones use too; ModernBERT has no biases."""
        chosen = self.chosen(self.model.count - self.o["layers"])
        in_a_layer = lambda n: self.model.layer(n) is not None
        has_place = {"bias": is_bias, "spread": self.model.kernel, "kernel": self.model.kernel}.get(fault, in_a_layer)
        return not any(map(has_place, chosen))

    def start(self, loaded):
        chosen, new = self.chosen(self.model.count - self.o["layers"] - self.is_("layer")), dict(loaded)
        for name in self.run.loaded:
            if name not in chosen:
                continue
            w = loaded[name]
            if name in self.model.norms:
                new[name] = torch.full_like(w, 1 if name.endswith("weight") and not self.is_("norm") else 0)
            elif w.dim() < 2 or is_bias(name):
                new[name] = w if self.is_("bias") else torch.zeros_like(w)
            else:
                rest = self.run.draws[-1].rest
                drawn = self.run.draws[-1].next("normal", self.run.layouts[name]["shape"]) if rest else torch.zeros_like(w)
                new[name] = w if self.is_("kernel") else self.run.in_checkpoint(name, drawn) * (1 + self.is_("spread"))
        return new


def is_bias(name):
    return name.endswith("bias") or name.endswith("bias.weight")
