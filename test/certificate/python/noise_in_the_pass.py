"""The methods that change hidden states: each from its paper's formula in PyTorch, with faults that can be planted."""

import math

import torch

from certified_method import EMPTY, PADDING, Method
from certified_model import Taps


class HyPe(Method):
    """h_{l+1} = g_l(h_l + e_l), or noise on what attention hands on."""

    faults = {
        "sign": "the noise taken away",
        "detach": "the hidden state held constant where the noise is added",
        "place": "the noise of one layer in the next",
        **PADDING,
    }

    def chosen(self):
        count, o = self.model.count, self.o
        asked = {i for i in range(count) if i < (o.get("lowLayers") or 0) or i >= count - (o.get("topLayers") or 0)}
        return asked or set(range(count))

    def taps(self, draws, base=EMPTY):
        o, chosen = self.o, self.chosen()
        kind = "normal" if o["noise"] == "normal" else "uniform"
        before = []

        def noised(hidden, layer):
            if layer not in chosen:
                return hidden
            unit = draws.next(kind, hidden.shape)
            before.append(unit)
            if self.is_("place"):
                unit = before[-2] if len(before) > 1 else torch.zeros_like(unit)
            size = hidden.pow(2).mean(-1, keepdim=True).sqrt().detach() if o["relative"] else 1
            state = hidden.detach() if self.is_("detach") else hidden
            return state + self.signed(o["scale"] * size * unit)

        return Taps(embedding=base.embedding, **{"context" if o["site"] == "attention" else "before": noised})

    def loss(self, weights, draws, step):
        return self.mean(self.task(self.main(weights, draws, self.taps(draws))))


class NEFTune(Method):
    faults = {
        "sign": "the noise taken away",
        "scale": "the noise by the root of the length alone",
        "detach": "the vectors held constant where the noise is added",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        def noised(vectors):
            noise = draws.next("uniform", vectors.shape)  # U(-1, 1) alpha / sqrt(length * width)
            assert noise.abs().max() <= self.o["alpha"] / math.sqrt(vectors[0].numel()) * (1 + 1e-6)
            if self.o.get("length") == "real":
                mask = self.run.inputs[1].double()[..., None]
                noise = noise * mask * torch.sqrt(vectors.shape[1] / mask.sum(1, keepdim=True))
            if self.is_("scale"):
                noise = noise * math.sqrt(vectors.shape[-1])
            return (vectors.detach() if self.is_("detach") else vectors) + self.signed(noise)

        return self.mean(self.task(self.main(weights, draws, Taps(embedding=noised))))


class LayerDrop(Method):
    faults = {
        "scale": "a dropped layer halved instead of skipped",
        "mask": "the layers kept that are dropped",
        "detach": "what skips a layer held constant",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        entering = {}

        def before(hidden, layer):
            entering[layer] = hidden
            return hidden

        def after(hidden, layer):
            keep = draws.next("bernoulli", [1] * hidden.dim())
            if self.is_("mask"):
                keep = 1 - keep
            skipped = entering[layer].detach() if self.is_("detach") else entering[layer]
            if self.is_("scale"):
                skipped = (skipped + hidden) / 2
            return torch.where(keep == 1, hidden, skipped)

        return self.mean(self.task(self.main(weights, draws, Taps(before=before, after=after))))


class DropKey(Method):
    """softmax(q k^T / sqrt(d) + m), m hides a key from a query, never all that it may see."""

    faults = {
        "place": "the keys of one layer dropped in the next",
        "mask": "the keys kept that are dropped",
        "scale": "a dropped key's score lowered by 1 instead of hidden",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        before = []

        def scores(value, layer):
            dropped = draws.next("bernoulli", value.shape)
            assert abs(dropped.mean() - self.o["rate"] * (1 - layer / self.model.count)) < 0.15
            before.append(dropped)
            if self.is_("place"):
                dropped = before[-2] if len(before) > 1 else torch.zeros_like(dropped)
            if self.is_("mask"):
                dropped = 1 - dropped
            hidden = value <= value.max(-1, keepdim=True).values - 5e3
            visible = ~hidden & (dropped == 0)
            keep = visible | ~visible.any(-1, keepdim=True)
            return torch.where(keep, value, value - 1 if self.is_("scale") else torch.full_like(value, -1e30))

        return self.mean(self.task(self.main(weights, draws, Taps(scores=scores, attention_dropout=False))))


class HiddenMixup(Method):
    faults = {
        "labels": "the labels left unmixed",
        "place": "mixed behind another layer",
        "detach": "the partner held constant",
    }

    def loss(self, weights, draws, step):
        mix = self.run.mixes[step - 1]
        share, partners = torch.tensor(mix["share"]).float().double(), torch.tensor(mix["partners"])
        place = (mix["layer"] + self.is_("place")) % self.model.count

        def blend(x, other=None):
            return share * x + (1 - share) * (x if other is None else other)[partners]

        def after(hidden, layer):
            if layer != place:
                return hidden
            return blend(hidden, hidden.detach()) if self.is_("detach") else blend(hidden)

        logits = self.main(weights, draws, Taps(after=after))
        labels = self.run.labels if self.is_("labels") else blend(self.run.labels)
        rows = -(labels * logits.log_softmax(-1)).sum(-1)
        counted = blend(self.run.row_weights)
        return (rows * counted).sum() / counted.sum()
