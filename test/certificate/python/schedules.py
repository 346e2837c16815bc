"""The methods that say what trains and how fast: each from its paper's formula in PyTorch, with faults that can be planted."""

from certified_method import PADDING, Method


class TopK(Method):
    faults = {
        "layer": "one layer more",
        "top": "pooler and head frozen",
        "sign": "the loss climbed",
        **PADDING,
    }

    def lacks(self, fault):
        """ALBERT's layers share their weights, which belong to the first."""
        return fault == "layer" and all(self.model.layer(n) != self.model.count - self.o["layers"] - 1 for n in self.model.names)

    def trained(self, step):
        lowest = self.model.count - self.o["layers"] - self.is_("layer")
        layer = lambda n: -1 if self.model.layer(n) is None else self.model.layer(n)
        trains = lambda n: not self.is_("top") if self.model.top(n) else layer(n) >= lowest
        return [n for n in super().trained(step) if trains(n)]

    def loss(self, weights, draws, step):
        return self.signed(super().loss(weights, draws, step))


class LayerDecay(Method):
    faults = {
        "order": "layers counted from the input",
        "offset": "the top layer at the head's rate",
        "embedding": "the embedding at the lowest layer's rate",
    }

    def rate(self, name, step):
        count, layer = self.model.count, self.model.layer(name)
        if self.model.top(name):
            depth = 0
        else:
            depth = count - (-1 if layer is None else layer)
            if self.is_("order") and layer is not None:
                depth = layer + 1
            if self.is_("offset"):
                depth -= 1
            if self.is_("embedding") and layer is None:
                depth = count
        return super().rate(name, step) * self.o["decay"] ** depth


class LPFT(Method):
    faults = {
        "long": "the head alone for one update more",
        "rate": "the head at the usual rate while it is alone",
        "pooler": "a pooler counted as head that was pre-trained, or the other way round",
    }

    def alone(self, step):
        return step <= round(self.o["share"] * self.run.steps) + self.is_("long")

    def trained(self, step):
        every = super().trained(step)
        if not self.alone(step):
            return every
        head = self.model.top if self.is_("pooler") else self.model.fresh
        chosen = [n for n in every if head(n)]
        return chosen[:-1] if self.is_("pooler") and len(chosen) == len([n for n in every if self.model.fresh(n)]) else chosen

    def rate(self, name, step):
        factor = self.o["headRate"] if self.alone(step) and not self.is_("rate") else 1
        return super().rate(name, step) * factor


class GradualUnfreezing(Method):
    faults = {
        "early": "each group one update early",
        "order": "layers from the input up",
        "late": "the head frozen at first",
    }

    def trained(self, step):
        count = self.model.count

        def first(name):
            if self.model.top(name):
                return 2 if self.is_("late") else 1
            layer = self.model.layer(name)
            if layer is None:
                return 1 + self.o["every"] * (count + 1) - self.is_("early")
            depth = layer + 1 if self.is_("order") else count - layer
            return 1 + self.o["every"] * depth - self.is_("early")

        return [n for n in super().trained(step) if first(n) <= step]
