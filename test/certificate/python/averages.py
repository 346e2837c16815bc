"""The methods that keep other weights than were trained: each from its paper's formula in PyTorch, with faults that can be planted."""

import torch

from certified_method import Method


class EMA(Method):
    faults = {
        "warmup": "no warm-up of the decay",
        "order": "the shares exchanged",
        "start": "averaged from zero",
    }

    def final(self, weights):
        average = {n: torch.zeros_like(w) if self.is_("start") else w for n, w in weights[0].items()}
        for step, now in enumerate(weights[1:], 1):
            d = self.o["decay"]
            if self.o["warmup"] and not self.is_("warmup"):
                d = min(d, (1 + step) / (10 + step))
            if self.is_("order"):
                d = 1 - d
            average = {n: d * average[n] + (1 - d) * now[n] for n in average}
        return average


class SWA(Method):
    faults = {
        "first": "the weights at the start of averaging left out",
        "last": "the last weights alone",
        "early": "averaged from the first weights on",
    }

    def final(self, weights):
        begin = round(self.o["start"] * self.run.steps)
        if self.is_("last"):
            return weights[-1]
        begin += self.is_("first") - self.is_("early")
        averaged = weights[begin:]
        return {n: sum(w[n] for w in averaged) / len(averaged) for n in weights[0]}


class WiSEFT(Method):
    faults = {
        "order": "the shares exchanged",
        "head": "the head interpolated too",
        "last": "nothing interpolated",
    }

    def final(self, weights):
        a = 1 - self.o["alpha"] if self.is_("order") else self.o["alpha"]
        first, last = weights[0], weights[-1]
        mixed = lambda n: not self.is_("last") and (self.is_("head") or not self.model.fresh(n))
        return {n: (1 - a) * first[n] + a * w if mixed(n) else w for n, w in last.items()}
