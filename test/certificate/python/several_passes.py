"""The methods that add a term to the loss, most of them by a second pass: each from its paper's formula in PyTorch, with faults that can be planted."""

import math

import torch

from certified_method import EMPTY, LOSS_FAULTS, PADDING, Method, divergence
from certified_model import Taps


class R3F(Method):
    """L(x) + weight KL_S(f(x), f(x + z))."""

    faults = {**LOSS_FAULTS, "table": "the token table's gradient from the noised pass kept, or not, against the option"}

    def loss(self, weights, draws, step, more=lambda taps: taps, main_taps=EMPTY):
        o = self.o
        clean = self.main(weights, draws, main_taps)

        def noised(vectors):
            noise = draws.next(o["noise"], vectors.shape)
            attached = (o["table"] == "attached") != self.is_("table")
            return (vectors if attached else vectors.detach()) + noise

        other = self.main(weights, draws, more(Taps(embedding=noised)))
        target = clean.detach() if self.is_("detach") else clean
        rows = divergence(target, other) + divergence(other, target)
        return self.mean(self.task(clean)) + self.signed(o["weight"] * self.mean(rows))


class R4F(R3F):
    """R3F, the head's last kernel divided by its spectral norm, found by power iteration."""

    faults = {
        **LOSS_FAULTS,
        "norm": "the spectral norm held constant",
        "iteration": "no power iteration at an update",
    }

    def head(self):
        return [name for name in self.model.names if self.model.kernel(name) and self.model.top(name)][-1]

    def vectors(self, weight, left, rounds):
        unit = lambda v: v / v.norm()
        for _ in range(rounds):
            right = unit(weight.T @ left)
            left = unit(weight @ right)
        return left, right

    def start(self, loaded):
        weight = loaded[self.head()].T  # [in, out]
        first = self.run.draws[0].next("normal", [weight.shape[0], 1])
        self.run.state["singular"] = self.vectors(weight, first, 15)
        return loaded

    def loss(self, weights, draws, step):
        name = self.head()
        left, right = self.run.state["singular"]
        sigma = (left.T @ weights[name].T @ right).squeeze()
        sigma = sigma.detach() if self.is_("norm") else sigma
        return super().loss({**weights, name: weights[name] / sigma}, draws, step)

    def updates(self, step, weights, gradients):
        updates, name = self.adamw(step, gradients), self.head()
        moved = (weights[name] + updates[name]).T
        if not self.is_("iteration"):
            self.run.state["singular"] = self.vectors(moved, self.run.state["singular"][0], 1)
        left, right = self.run.state["singular"]
        return {**updates, name: (moved / (left.T @ moved @ right)).T - weights[name]}


class RDrop(Method):
    faults = {**LOSS_FAULTS, "task": "the task loss of one pass alone"}

    def loss(self, weights, draws, step, taps=lambda: EMPTY):
        o = self.o
        first, second = (self.main(weights, draws, taps()) for _ in range(2))
        target = first.detach() if self.is_("detach") else first
        rows = o["weight"] / 2 * (divergence(target, second) + divergence(second, target))
        if o["reduction"] == "reference":
            term = (rows * (1 if self.is_("padding") else self.run.row_weights)).sum()
        else:
            term = self.mean(rows)
        task = self.mean(self.task(first)) + (0 if self.is_("task") else self.mean(self.task(second)))
        return task + self.signed(term)


class SMART(Method):
    faults = {**LOSS_FAULTS, "ascent": "the perturbation climbed downhill"}

    def loss(self, weights, draws, step):
        o, paper = self.o, self.o["form"] == "paper"
        shape = []

        def seen(vectors):
            shape[:] = vectors.shape
            return vectors

        clean = self.main(weights, draws, Taps(embedding=seen))
        delta = draws.next("normal", shape)
        held = clean.detach()
        fixed = {name: w.detach() for name, w in weights.items()}
        for _ in range(o["steps"]):
            at = delta.clone().requires_grad_()
            other = self.main(fixed, draws, Taps(embedding=lambda vectors: vectors + at))
            if paper:
                height = (divergence(other, held) + divergence(held, other)).sum()
            else:
                odds = lambda p: -(1 / (p + 1e-6) - 1 + 1e-6).log()
                p, q = other.softmax(-1), held.softmax(-1)
                height = 2 * (p * (odds(p) - odds(q)).detach()).sum()
            (g,) = torch.autograd.grad(height, at)
            g = -g if self.is_("ascent") else g
            if paper:
                peak = g.abs().amax((1, 2), keepdim=True).clamp_min(1e-30)
                delta = (delta + o["rate"] * g / peak).clamp(-o["radius"], o["radius"])
            else:
                moved = delta + o["rate"] * g
                delta = moved / (moved.abs().amax(-1, keepdim=True) + 1e-6)
        other = self.main(weights, draws, Taps(embedding=lambda vectors: vectors + delta))
        cut = lambda x: x if self.is_("detach") else x.detach()
        if paper:
            target = clean.detach() if self.is_("detach") else clean
            rows = divergence(other, target) + divergence(target, other)
        else:
            rows = divergence(cut(other), clean) + divergence(cut(clean), other)
        return self.mean(self.task(clean)) + self.signed(o["weight"] * self.mean(rows))


class LNSR(Method):
    """loss + weight sum_{r >= b} ||h_r(noise at b) - h_r||^2, the mean over a row's tokens."""

    faults = {**LOSS_FAULTS, "tokens": "padding tokens counted"}

    def loss(self, weights, draws, step):
        o = self.o
        clean, drifts = {}, []
        mask = self.run.inputs[1].double()
        if self.is_("tokens"):
            mask = torch.ones_like(mask)

        def keep(hidden, layer):
            clean[layer] = hidden
            return hidden

        def noised(hidden, layer):
            return hidden + draws.next("normal", hidden.shape) if layer == o["layer"] else hidden

        def compare(hidden, layer):
            if layer >= o["layer"]:
                target = clean[layer].detach() if self.is_("detach") else clean[layer]
                squares = ((hidden - target) ** 2).sum(-1)
                drifts.append((squares * mask).sum(1) / mask.sum(1))
            return hidden

        logits = self.main(weights, draws, Taps(after=keep))
        self.main(weights, draws, Taps(before=noised, after=compare))
        return self.mean(self.task(logits)) + self.signed(o["weight"] * self.mean(sum(drifts)))


class Cutoff(Method):
    """L(x) + taskWeight L(x') + weight JS(f(x), f(x'))."""

    faults = {**LOSS_FAULTS, "length": "padding counted as tokens, features one too few"}

    def loss(self, weights, draws, step):
        o = self.o
        ids, mask, types = self.run.inputs
        rows, positions = mask.shape
        clean = self.main(weights, draws)
        if o["kind"] == "feature":

            def erase(hidden, layer):
                if layer > 0:
                    return hidden
                width = hidden.shape[-1]
                count = math.floor(width * o["ratio"] + 5e-4)
                cut = (draws.next("uniform", [rows, count]) * width).long()
                if self.is_("length"):
                    cut = cut[:, 1:]
                return hidden * torch.ones(rows, width).double().scatter(1, cut, 0)[:, None]

            inputs = self.run.inputs
        else:
            lengths = torch.full((rows,), positions) if self.is_("length") else mask.sum(1)
            spared = 1 if o["ends"] == "spared" else 0
            open_, cut = (lengths - 2 * spared).clamp_min(0), (lengths * o["ratio"] + 5e-4).floor().long()
            cut = torch.minimum(cut, open_)
            kept = torch.ones(rows, positions)
            most = max(1, math.floor(positions * o["ratio"] + 5e-4))
            drawn = draws.next("uniform", [rows, 1 if o["kind"] == "span" else most])
            for row in range(rows):
                first = spared + (0 if self.is_("length") else int(mask[row].argmax()))
                if o["kind"] == "span":
                    begin = first + min(int(drawn[row, 0] * (open_[row] - cut[row] + 1)), int(open_[row] - cut[row]))
                    kept[row, begin : begin + int(cut[row])] = 0
                else:
                    for place in range(int(cut[row])):
                        kept[row, first + int(drawn[row, place] * open_[row])] = 0
            inputs = (ids, (mask * kept).long(), types)
            erase = lambda hidden, layer: hidden * kept.double()[..., None] if layer == 0 else hidden
        other = self.model.run(weights, inputs, draws, Taps(before=erase))
        p, q = (clean.detach() if self.is_("detach") else clean).log_softmax(-1), other.log_softmax(-1)
        m = torch.log((p.exp() + q.exp()) / 2)
        if o["divergence"] == "js":
            apart = (p.exp() * (p - m) + q.exp() * (q - m)).sum(-1) / 2
        else:
            apart = (m.exp() * (2 * m - p - q)).sum(-1) / 2
        added = o["taskWeight"] * self.mean(self.task(other)) + o["weight"] * self.mean(apart)
        return self.mean(self.task(clean)) + self.signed(added)


class Distillation(Method):
    faults = {
        **LOSS_FAULTS,
        "temperature": "the soft loss without the square of the temperature",
    }

    def loss(self, weights, draws, step):
        o = self.o
        student = self.main(weights, draws)
        teacher = self.model.run(self.run.teacher, self.run.inputs, None, training=False)
        T = o["temperature"]
        logs = (student / T).log_softmax(-1)
        # Cut: the student's own probabilities in the place of a gradient.
        targets = (teacher / T).softmax(-1) if not self.is_("detach") else (student / T).softmax(-1)
        rows = -(targets * logs).sum(-1) * (1 if self.is_("temperature") else T**2)
        return (1 - o["weight"]) * self.mean(self.task(student)) + self.signed(o["weight"] * self.mean(rows))


class Flooding(Method):
    faults = {
        "sign": "the gradient not turned round below the level",
        "scale": "the distance to the level squared",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        loss, level = super().loss(weights, draws, step), self.o["level"]
        if self.is_("scale"):
            return (loss - level) ** 2
        return loss if self.is_("sign") else (loss - level).abs() + level
