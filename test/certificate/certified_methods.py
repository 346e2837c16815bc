"""The methods, each from its paper's formula in PyTorch, on a model of `transformers`; and faults that can be planted in each.

A method says what its weights are before training, its gradient at given weights, what a step makes of a gradient, and what is kept
at the end. `fault` names a mutation of the computation, one of `faults`; None is the method.
"""

import math
import re

import torch
import torch.nn.functional as F

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


# --------------------------------------------------------------------------------------------------- noise in the pass


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


class HyPeR3F(Method):
    """HyPe in the noised pass of R3F alone, as the paper has it."""

    faults = {**LOSS_FAULTS, "both": "HyPe in the main pass too"}

    def __init__(self, run, options, fault=None):
        super().__init__(run, options, fault)
        self.hype, self.r3f = HyPe(run, options[0]), R3F(run, options[1], fault)

    def loss(self, weights, draws, step):
        if self.is_("both"):
            noise = Taps(before=lambda hidden, layer: hidden + self.o[0]["scale"] * torch.ones_like(hidden))
            return self.r3f.loss(weights, draws, step, lambda taps: self.hype.taps(draws, taps), noise)
        return self.r3f.loss(weights, draws, step, lambda taps: self.hype.taps(draws, taps))


class HyPeRDrop(Method):
    """HyPe in both passes of R-Drop, drawn anew."""

    faults = LOSS_FAULTS

    def __init__(self, run, options, fault=None):
        super().__init__(run, options, fault)
        self.hype, self.rdrop = HyPe(run, options[0]), RDrop(run, options[1], fault)

    def loss(self, weights, draws, step):
        return self.rdrop.loss(weights, draws, step, lambda: self.hype.taps(draws))


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
        "scale": "what is kept scaled up as by dropout",
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
            kept = hidden / (1 - self.o["rate"]) if self.is_("scale") else hidden
            skipped = entering[layer].detach() if self.is_("detach") else entering[layer]
            return torch.where(keep == 1, kept, skipped)

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


# --------------------------------------------------------------------------------------------------- two passes


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


# --------------------------------------------------------------------------------------------------- weights in the pass


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


# --------------------------------------------------------------------------------------------------- several gradients


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


class NoisyHyPe(HyPe):
    """NoisyTune first, then HyPe in every pass."""

    def __init__(self, run, options, fault=None):
        super().__init__(run, options[1], fault)
        self.noisy = NoisyTune(run, options[0])

    def start(self, loaded):
        return self.noisy.start(loaded)


class ChildHyPe(ChildTuningF):
    """HyPe in the pass, Child-Tuning-F on its gradient."""

    def __init__(self, run, options, fault=None):
        super().__init__(run, options[0], fault)
        self.hype = HyPe(run, options[1])

    def loss(self, weights, draws, step):
        return self.mean(self.task(self.main(weights, draws, self.hype.taps(draws))))


# --------------------------------------------------------------------------------------------------- terms of the weights


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


# --------------------------------------------------------------------------------------------------- starting values


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
    }

    def chosen(self, lowest):
        """Names of the weights that start anew."""
        pooler = lambda n: self.model.top(n) and not self.model.fresh(n)
        inside = lambda n: self.model.layer(n) is not None and lowest <= self.model.layer(n) < lowest + self.o["layers"]
        return [n for n in self.model.names if (self.o["pooler"] if pooler(n) else inside(n))]

    def lacks(self, fault):
        """ALBERT's layers share their weights, which lower ones use too; ModernBERT has no biases."""
        chosen = self.chosen(self.model.count - self.o["layers"])
        return not any(is_bias(n) if fault == "bias" else self.model.layer(n) is not None for n in chosen)

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
                new[name] = self.run.in_checkpoint(name, drawn)
        return new


def is_bias(name):
    return name.endswith("bias") or name.endswith("bias.weight")


# --------------------------------------------------------------------------------------------------- what trains, how fast


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


# --------------------------------------------------------------------------------------------------- optimizers


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


# --------------------------------------------------------------------------------------------------- what is kept


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


METHODS = {
    "plain": Plain,
    "hype": HyPe,
    "r3f": R3F,
    "r3f/r4f": R4F,
    "mixout": Mixout,
    "r-drop": RDrop,
    "child-tuning/f": ChildTuningF,
    "child-tuning/d": ChildTuningD,
    "noisytune": NoisyTune,
    "recadam": RecAdam,
    "l2-sp": L2SP,
    "lnsr": LNSR,
    "top-k": TopK,
    "smart": SMART,
    "freelb": FreeLB,
    "neftune": NEFTune,
    "sam": SAM,
    "layer-decay": LayerDecay,
    "reinit": Reinit,
    "layer-drop": LayerDrop,
    "hidden-mixup": HiddenMixup,
    "bi-drop": BiDrop,
    "drop-key": DropKey,
    "cutoff": Cutoff,
    "distillation": Distillation,
    "spd": SPD,
    "flooding": Flooding,
    "lora": LoRA,
    "ema": EMA,
    "swa": SWA,
    "wise-ft": WiSEFT,
    "lp-ft": LPFT,
    "gradual-unfreezing": GradualUnfreezing,
    "lion": Lion,
    "adafactor": Adafactor,
    "cautious": Cautious,
    "hype + r3f": HyPeR3F,
    "hype + r-drop": HyPeRDrop,
    "noisytune + hype": NoisyHyPe,
    "child-tuning/f + hype": ChildHyPe,
}


def method_of(case):
    """By the case's whole name, or the part before its variant."""
    return METHODS.get(case) or METHODS[case.split("/")[0]]
