"""What a method computes, and the parts that methods are made of.

A method says what its weights are before training, its gradient at given weights, what a step makes of a gradient, and what is kept
at the end. `fault` names a mutation of the computation, one of `faults`; None is the method.
"""

import math

import torch

from certified_model import Taps

EMPTY = Taps()
PADDING = {"padding": "the row that fills the batch counted"}
LOSS_FAULTS = {
    "sign": "the term with the other sign",
    "detach": "a gradient cut where it flows, or let through where it is cut",
    **PADDING,
}


def divergence(p, q):
    """KL(P || Q) over the last axis."""
    return (p.softmax(-1) * (p.log_softmax(-1) - q.log_softmax(-1))).sum(-1)


def norm_of(tensors):
    return torch.sqrt(sum((t**2).sum() for t in tensors))


class Method:
    faults = {}
    # Whether an entry's value hangs on a threshold, and how near to it rounding decides.
    undecided = None

    def __init__(self, run, options, fault=None):
        self.run, self.model, self.o, self.fault = run, run.model, options, fault

    # ---------------------------------------------------------------------------------------- what a method may say

    def start(self, loaded):
        """The weights before the first update, of those in the checkpoint."""
        return loaded

    def trained(self, step):
        return [name for name in self.model.names if name not in self.model.unused]

    def gradient(self, weights, draws, step):
        leaves = self.leaves(weights, step)
        return self.backward(self.loss({**weights, **leaves}, draws, step), leaves)

    def loss(self, weights, draws, step):
        return self.mean(self.task(self.main(weights, draws)))

    def rate(self, name, step):
        return self.run.optimizer["learningRate"]

    def updates(self, step, weights, gradients):
        """What the optimizer adds, weight decay apart."""
        return self.adamw(step, gradients)

    def written(self, step, weights, updates):
        o = self.run.optimizer
        new = {}
        for name, update in updates.items():
            kept = 1 - self.rate(name, step) * o["weightDecay"] if self.decays(name) else 1
            new[name] = weights[name] * kept + update
        return new

    def final(self, weights):
        """What is kept, of the weights before the first update and after each."""
        return weights[-1]

    def lacks(self, fault):
        """Whether a family has no place for a fault."""
        return False

    # ---------------------------------------------------------------------------------------- what they are made of

    def decays(self, name):
        return self.model.decays(name)

    def leaves(self, weights, step):
        return {name: weights[name].detach().clone().requires_grad_() for name in self.trained(step)}

    @staticmethod
    def backward(loss, leaves):
        if not leaves:
            return {}
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        return {name: torch.zeros_like(leaf) if g is None else g for (name, leaf), g in zip(leaves.items(), found)}

    def main(self, weights, draws, taps=EMPTY):
        return self.model.run(weights, self.run.inputs, draws, taps)

    def task(self, logits):
        return -(self.run.labels * logits.log_softmax(-1)).sum(-1)

    def mean(self, rows):
        if self.fault == "padding":
            return rows.mean()
        return (rows * self.run.row_weights).sum() / self.run.row_weights.sum()

    def is_(self, fault):
        return self.fault == fault

    def signed(self, value):
        return -value if self.is_("sign") else value

    def adamw(self, step, gradients, age=None):
        o, state = self.run.optimizer, self.run.state
        updates = {}
        for name, g in gradients.items():
            m, v, t = state.get(name, (torch.zeros_like(g), torch.zeros_like(g), 0))
            m, v, t = o["beta1"] * m + (1 - o["beta1"]) * g, o["beta2"] * v + (1 - o["beta2"]) * g * g, t + 1
            state[name] = (m, v, t)
            corrected = v.sqrt() / math.sqrt(1 - o["beta2"] ** t) + o["epsilon"]
            updates[name] = -self.rate(name, step) / (1 - o["beta1"] ** t) * m / corrected
        return updates


class Plain(Method):
    faults = {
        "sign": "the loss climbed",
        "scale": "the loss summed over the rows",
        **PADDING,
    }

    def loss(self, weights, draws, step):
        rows = self.task(self.main(weights, draws))
        return self.signed((rows * self.run.row_weights).sum() if self.is_("scale") else self.mean(rows))
