"""The methods that pull to the start: each from its paper's formula in PyTorch, with faults that can be planted."""

import math

from certified_method import PADDING, Method


class L2SP(Method):
    faults = {
        "sign": "pushed away from the start",
        "origin": "pulled to zero",
        "head": "the head left out",
        **PADDING,
    }

    def held(self, step):
        for name in self.trained(step):
            if not self.decays(name):  # kernels and tables
                continue
            fresh = self.model.fresh(name)
            if fresh and self.is_("head"):
                continue
            start = 0 if fresh or self.is_("origin") else self.run.weights[0][name]
            yield name, start, self.signed(self.o["headWeight"] if fresh else self.o["weight"])

    def loss(self, weights, draws, step):
        loss = super().loss(weights, draws, step)
        if self.o["mode"] == "decoupled":
            return loss
        return loss + sum(strength / 2 * ((weights[name] - start) ** 2).sum() for name, start, strength in self.held(step))

    def updates(self, step, weights, gradients):
        updates = self.adamw(step, gradients)
        if self.o["mode"] == "decoupled":
            for name, start, strength in self.held(step):
                updates[name] = updates[name] - self.rate(name, step) * strength * (weights[name] - start)
        return updates


class RecAdam(Method):
    faults = {
        "sign": "pushed away from the start",
        "share": "the task's share left out of Adam's part",
        "late": "pulled from where the weights stood before Adam's part",
    }

    def updates(self, step, weights, gradients):
        o, updates = self.o, self.adamw(step, gradients)
        share = o["weight"] / (1 + math.exp(-o["rate"] * (step - o["midpoint"])))
        for name, update in updates.items():
            if self.model.fresh(name):
                continue
            learned = update if self.is_("share") else share * update
            moved = weights[name] + (0 if self.is_("late") else learned)
            pull = self.rate(name, step) * o["pull"] * (o["weight"] - share)
            updates[name] = learned - self.signed(pull * (moved - self.run.weights[0][name]))
        return updates


class SPD(Method):
    faults = {
        "sign": "held back where the gradient points away",
        "all": "held back everywhere",
        "scale": "pulled by the whole deviation",
    }

    def updates(self, step, weights, gradients):
        updates = self.adamw(step, gradients)
        for name, update in updates.items():
            if self.model.fresh(name):
                continue
            before = weights[name] - self.run.weights[0][name]
            after = before + update
            back = self.signed((gradients[name] * before).sum()) > 0
            if back or self.is_("all"):
                grown = 1 if self.is_("scale") else ((after.norm() - before.norm()) / after.norm().clamp_min(1e-30)).clamp_min(0)
                updates[name] = update - self.o["weight"] * grown * after
        return updates
