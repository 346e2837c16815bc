"""The methods that make a gradient of several, or of a part of one: each from its paper's formula in PyTorch, with faults that can be planted."""

import math

import torch

from certified_method import PADDING, Method, norm_of
from certified_model import Taps


class FreeLB(Method):
    faults = {
        "sign": "the vectors pushed downhill",
        "scale": "the gradients summed",
        "padding": "one norm for the whole batch, padding rows among them",
    }

    def gradient(self, weights, draws, step):
        o, total = self.o, None
        mask = self.run.inputs[1].double()[..., None]
        length, delta = mask.shape[1], None
        for k in range(o["steps"]):
            leaves = self.leaves(weights, step)

            def pushed(vectors, k=k):
                nonlocal delta
                if delta is None:
                    delta = self.started if o["magnitude"] else torch.zeros_like(vectors)
                    delta = delta.detach().requires_grad_()
                return vectors + delta

            if k == 0 and o["magnitude"]:
                width = self.model.model.get_input_embeddings().weight.shape[1]
                self.started = draws.next("uniform", [*mask.shape[:2], width])
                assert self.started.abs().max() <= o["magnitude"] / math.sqrt(length * width) * (1 + 1e-6)
                if o.get("length") == "real":
                    self.started = self.started * mask * torch.sqrt(length / mask.sum(1, keepdim=True))
            loss = self.mean(self.task(self.main({**weights, **leaves}, draws, Taps(embedding=pushed))))
            *found, up = torch.autograd.grad(loss, [*leaves.values(), delta], allow_unused=True)
            here = {n: torch.zeros_like(leaf) if g is None else g for (n, leaf), g in zip(leaves.items(), found)}
            total = here if total is None else {n: total[n] + here[n] for n in here}
            axes = (0, 1, 2) if self.is_("padding") else (1, 2)
            size = lambda x: x.pow(2).sum(axes, keepdim=True).sqrt().clamp_min(1e-8)
            moved = delta.detach() + self.signed(o["rate"] * up / size(up))
            if o["maxNorm"]:
                moved = moved * (o["maxNorm"] / size(moved)).clamp_max(1)
            delta = moved.requires_grad_()
        return {n: g if self.is_("scale") else g / o["steps"] for n, g in total.items()}


class SAM(Method):
    faults = {
        "sign": "the step down instead of up",
        "scale": "the step up by each tensor's own norm",
        "detach": "the gradient at the weights, none at the shifted ones",
        **PADDING,
    }

    def gradient(self, weights, draws, step):
        o, variant = self.o, self.o["variant"]
        radius = o.get("radius") or (0.5 if variant == "asam" else 0.05)
        at = lambda w: super(SAM, self).gradient(w, draws, step)
        here = at(weights)
        climbed, sizes = here, {}
        if variant == "asam":
            sizes = {n: weights[n].abs() + o["eta"] for n in here if not n.endswith("bias")}
        if variant == "friendly":
            means = self.run.state.setdefault("means", {})
            kept = 0 if step == 1 else o["lambda"]
            climbed = {n: g - o["sigma"] * means.get(n, torch.zeros_like(g)) for n, g in here.items()}
            for n, g in here.items():
                means[n] = kept * means.get(n, torch.zeros_like(g)) + (1 - kept) * g
        sized = {n: g * sizes.get(n, 1) for n, g in climbed.items()}
        length = norm_of(sized.values())
        up = {
            n: self.signed(radius * g * sizes.get(n, 1) / ((g.norm() if self.is_("scale") else length) + 1e-12))
            for n, g in sized.items()
        }
        shifted = at({**weights, **{n: weights[n] + e for n, e in up.items()}})
        there = here if self.is_("detach") else shifted
        if variant != "gsam":
            return there
        size = norm_of(there.values())
        along = sum((here[n] * there[n]).sum() for n in there) / size**2
        return {n: there[n] - o["alpha"] * (here[n] - along * there[n]) for n in there}


class BiDrop(Method):
    faults = {
        "scale": "the gradients summed",
        "select": "the entries kept that are dropped",
        "spread": "the perturbation factor left out",
        **PADDING,
    }

    def gradient(self, weights, draws, step):
        o = self.o
        found = [super(BiDrop, self).gradient(weights, draws, step) for _ in range(o["draws"])]
        mean = {n: sum(g[n] for g in found) / o["draws"] for n in found[0]}
        scores = {}
        for n, mu in mean.items():
            size = mu.abs()
            spread = torch.sqrt(sum((g[n] - mu) ** 2 for g in found))
            part = lambda other: size / (size + other).clamp_min(1e-30)
            scores[n] = part(weights[n].abs()) if self.is_("spread") else (part(spread) + part(weights[n].abs())) / 2
        every = torch.cat([s.flatten() for s in scores.values()])
        above = int((every > 0).sum())
        lowest = every.sort(descending=True).values[max(0, math.ceil(o["reserve"] * above) - 1)]
        kept = {n: (s < lowest) if self.is_("select") else (s >= lowest) for n, s in scores.items()}
        self.undecided = {n: (s - lowest).abs() < 2e-3 for n, s in scores.items()}
        return {n: mean[n] * kept[n] * (o["draws"] if self.is_("scale") else 1) for n in mean}


class ChildTuningF(Method):
    faults = {
        "scale": "what is left not divided by p",
        "mask": "the entries kept that are masked",
        **PADDING,
    }

    def gradient(self, weights, draws, step):
        found = super().gradient(weights, draws, step)
        for name in self.run.order[step - 1]:
            mask = self.run.in_checkpoint(name, draws.next("bernoulli", self.run.layouts[name]["shape"]))
            if self.is_("mask"):
                mask = 1 - mask
            found[name] = found[name] * mask / (1 if self.is_("scale") else self.o["reserve"])
        return found


class ChildTuningD(Method):
    faults = {
        "scale": "what is left divided by p",
        "mask": "the entries kept that are masked",
        "scope": "pooler, head and embedding masked too",
        **PADDING,
    }

    def start(self, loaded):
        """Which weights of the hidden layers have the highest Fisher information over a pass through the data."""
        fisher = {}
        for rows in self.run.batches[:1]:
            inputs = tuple(x[rows] for x in self.run.inputs)
            leaves = {n: loaded[n].clone().requires_grad_() for n in self.trained(1)}
            logits = self.model.run({**loaded, **leaves}, inputs, self.run.draws[0])
            loss = -(self.run.labels[rows] * logits.log_softmax(-1)).sum(-1).mean()
            for name, g in self.backward(loss, leaves).items():
                if self.is_("scope") or self.model.layer(name) is not None:
                    fisher[name] = (g * min(1, self.o["fisherClip"] / (g.norm() + 1e-6))) ** 2
        every = torch.cat([f.flatten() for f in fisher.values()])
        threshold = torch.quantile(every, 1 - self.o["reserve"])
        self.run.state["masks"] = {n: (f >= threshold).double() for n, f in fisher.items()}
        self.undecided = {n: (f - threshold).abs() < 1e-3 * threshold for n, f in fisher.items()}
        return loaded

    def gradient(self, weights, draws, step):
        found = super().gradient(weights, draws, step)
        for name, mask in self.run.state["masks"].items():
            kept = 1 - mask if self.is_("mask") else mask
            found[name] = found[name] * kept / (self.o["reserve"] if self.is_("scale") else 1)
        return found
