"""The methods in place of AdamW, or behind it: each from its paper's formula in PyTorch, with faults that can be planted."""

import torch

from certified_method import Method


class Lion(Method):
    faults = {
        "sign": "steps up",
        "betas": "the two betas exchanged",
        "momentum": "the sign of the gradient alone",
    }

    def updates(self, step, weights, gradients):
        b1, b2 = (self.o["beta2"], self.o["beta1"]) if self.is_("betas") else (self.o["beta1"], self.o["beta2"])
        updates = {}
        for name, g in gradients.items():
            m = self.run.state.get(name, torch.zeros_like(g))
            mixed = g if self.is_("momentum") else b1 * m + (1 - b1) * g
            updates[name] = self.signed(-self.rate(name, step) * mixed.float().sign().double())
            # Where the two parts cancel, the last bit of either decides.
            self.run.near[name] = mixed.abs() < 1e-5 * (b1 * m.abs() + (1 - b1) * g.abs())
            self.run.state[name] = b2 * m + (1 - b2) * g
        return updates


class Adafactor(Method):
    faults = {
        "axes": "the mean of the rows left out of the factors",
        "clip": "updates of any size",
        "size": "the weight's size left out of the rate",
    }

    def updates(self, step, weights, gradients):
        o, updates, state = self.o, {}, self.run.state
        decay = 1 - step ** -o["decayPower"]
        running = lambda key, value: state.__setitem__(key, decay * state.get(key, 0) + (1 - decay) * value) or state[key]
        for name, stored in gradients.items():
            g, w = self.run.in_model(name, stored), self.run.in_model(name, weights[name])
            squares = g * g + o["epsilon"]
            if g.dim() < 2:
                u = g / running(name, squares).sqrt()
            else:
                rows, columns = running((name, "r"), squares.mean(-1)), running((name, "c"), squares.mean(-2))
                share = rows if self.is_("axes") else rows / rows.mean(-1, keepdim=True)
                u = g / share.sqrt().unsqueeze(-1) / columns.sqrt().unsqueeze(-2)
            rms = lambda x: x.pow(2).mean().sqrt()
            if not self.is_("clip"):
                u = u / (rms(u) / o["clipThreshold"]).clamp_min(1)
            size = 1 if self.is_("size") else rms(w).clamp_min(o["epsilonScale"])
            u = self.rate(name, step) * size * u
            state[name, "m"] = o["beta1"] * state.get((name, "m"), 0) + (1 - o["beta1"]) * u
            updates[name] = -self.run.in_checkpoint(name, state[name, "m"])
        return updates


class Cautious(Method):
    faults = {
        "sign": "the entries kept that go against the gradient",
        "scale": "what is left not scaled up",
        "mask": "nothing dropped",
    }

    def updates(self, step, weights, gradients):
        updates = self.adamw(step, gradients)
        for name, u in updates.items():
            kept = (self.signed(u * gradients[name]) < 0).double()
            share = 1 if self.is_("scale") else kept.mean().clamp_min(self.o["floor"])
            updates[name] = u * (1 if self.is_("mask") else kept / share)
        return updates
