"""A model of `transformers` whose random draws come from a list and whose hidden states can be changed at named places."""

import re
from collections import defaultdict, deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Callable, Optional

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

# The new head of a classifier, by the beginning of its names. Poolers stand in the checkpoints that are tuned here.
FRESH = {
    "distilbert": r"(pre_classifier|classifier)\.",
    "eurobert": r"(dense|classifier)\.",
    "xlnet": r"logits_proj\.",
}
POOLERS = r"((bert|albert)\.pooler|pooler|head|sequence_summary)\."
# Where attention hands its result on: the map behind it, seen from a layer.
PROJECTIONS = {
    "distilbert": "attention.out_lin",
    "mpnet": "attention.attn.o",
    "albert": "attention.dense",
    "modernbert": "attn.Wo",
    "eurobert": "self_attn.o_proj",
}
# What Hugging Face's Trainer exempts from weight decay.
UNDECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)", re.IGNORECASE)


@dataclass
class Taps:
    """Functions of a value and, but for the first, the hidden layer's place from the input; None leaves it alone."""

    embedding: Optional[Callable] = None  # [B, T, E], out of the token table
    before: Optional[Callable] = None  # [B, T, H], into a layer
    after: Optional[Callable] = None  # [B, T, H], out of a layer
    scores: Optional[Callable] = None  # [B, heads, T, T], into the softmax
    context: Optional[Callable] = None  # [B, T, H], out of attention
    attention_dropout: bool = True


class Draws:
    """The draws of one update in their order: of dropout, at the reading of a weight, and the rest."""

    def __init__(self, entries):
        self.dropouts, self.rest = deque(), deque()
        self.of_weight = defaultdict(deque)
        for kind, weight, values in entries:
            if kind == "dropout":
                self.dropouts.append(values)
            elif weight is not None:
                self.of_weight[weight].append(values)
            else:
                self.rest.append((kind, values))

    def next(self, kind, shape):
        """The next draw; raises where the other side drew something else there."""
        if not self.rest:
            raise AssertionError(f"a {kind} draw of {list(shape)} that the other side did not make")
        got, values = self.rest.popleft()
        if got != kind or values.shape != torch.Size(shape):
            raise AssertionError(f"a {kind} draw of {list(shape)}, the other side drew {got} of {list(values.shape)}")
        return values

    def left(self):
        return len(self.dropouts) + len(self.rest) + sum(map(len, self.of_weight.values()))


class CertifiedModel:
    def __init__(self, folder, dropouts):
        config = AutoConfig.from_pretrained(folder, attn_implementation="eager", **dropouts)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, config=config, attn_implementation="eager").double()
        self.kind = config.model_type
        self.heads = config.num_attention_heads
        base = self.model.base_model
        if self.kind == "albert":
            groups = base.encoder.albert_layer_groups
            self.modules = [layer for group in groups for layer in group.albert_layers]
            self.count = config.num_hidden_layers * config.inner_group_num
        else:
            self.modules = list(
                base.transformer.layer
                if self.kind == "distilbert"
                else base.layers
                if self.kind in ("modernbert", "eurobert")
                else base.layer
                if self.kind == "xlnet"
                else base.encoder.layer
            )
            self.count = len(self.modules)
        self.names = [name for name, _ in self.model.named_parameters()]
        self.norms = {
            f"{path}.{name}"
            for path, module in self.model.named_modules()
            if "Norm" in type(module).__name__
            for name, _ in module.named_parameters(recurse=False)
        }
        self.tables = {f"{path}.weight" for path, module in self.model.named_modules() if isinstance(module, nn.Embedding)}
        self.linear = {f"{path}.weight" for path, module in self.model.named_modules() if isinstance(module, nn.Linear)}
        if self.kind == "xlnet":
            self.linear |= {name for name in self.names if re.search(r"rel_attn\.[qkvor]$", name)}
        # Never read by a classifier.
        self.unused = {"transformer.mask_emb"}

    # ------------------------------------------------------------------------------------------- what a weight is

    def fresh(self, name):
        return re.match(FRESH.get(self.kind, r"classifier\."), name) is not None

    def top(self, name):
        """Whether it is of the pooler or the head."""
        return self.fresh(name) or re.match(POOLERS, name) is not None

    def layer(self, name):
        """The hidden layer that it belongs to, from the input; None for what lies below; a shared weight is of its first."""
        if self.top(name):
            return None
        if re.match(r"model\.(final_)?norm\.", name):  # behind the last layer
            return self.count - 1
        if self.kind == "albert":
            found = re.search(r"albert_layer_groups\.(\d+)\.albert_layers\.(\d+)", name)
            if not found:
                return None
            config = self.model.config
            group, inner = map(int, found.groups())
            first = next(i for i in range(config.num_hidden_layers) if int(i / (config.num_hidden_layers / config.num_hidden_groups)) == group)
            return first * config.inner_group_num + inner
        found = re.search(r"\.layers?\.(\d+)\.", name)
        return int(found.group(1)) if found else None

    def decays(self, name):
        return name not in self.norms and not UNDECAYED.search(name)

    def kernel(self, name):
        """Whether it is a linear map's matrix."""
        return name in self.linear

    # ------------------------------------------------------------------------------------------- one pass

    def run(self, weights, inputs, draws, taps=Taps(), training=True):
        """Logits [B, labels]. `draws` are those of dropout, taken from the left."""
        self.model.train(training)
        ids, mask, types = inputs
        given = {"input_ids": ids, "attention_mask": mask}
        if getattr(self.model.config, "type_vocab_size", 0) > 0 or self.kind == "xlnet":
            given["token_type_ids"] = types
        with ExitStack() as stack:
            self._watch(stack, taps)
            self._pad(stack)
            stack.enter_context(replaced(nn.functional, "dropout", self._dropout(draws, taps)))
            stack.enter_context(replaced(nn.functional, "softmax", self._softmax(taps)))
            return torch.func.functional_call(self.model, weights, kwargs=given).logits

    def _pad(self, stack):
        """
        Padding attends to the tokens, as in the other families. No logit depends on it, but a method that mixes rows takes it in; in
        DeBERTa as published it sees all of the padded row, in XLNet itself too.
        """
        if self.kind in ("deberta", "deberta-v2"):
            stack.enter_context(replaced(self.model.base_model.encoder, "get_attention_mask", lambda mask: mask[:, None, None]))
        if self.kind == "xlnet":
            stack.enter_context(replaced(torch, "eye", lambda n, **more: torch.zeros(n, n, **more)))

    def _dropout(self, draws, taps):
        positions = []

        def dropout(x, p=0.5, training=True, inplace=False):
            if not training or p == 0 or (x.dim() == 4 and not taps.attention_dropout):
                return x
            if self.kind == "xlnet" and not positions:  # ours are drawn before the tokens' and by distance
                positions.append(by_place(draws.dropouts.popleft()))
            if self.kind == "xlnet" and x.shape[0] == positions[0].shape[0]:
                return x * positions[0]
            mask = draws.dropouts.popleft()
            if self.kind == "xlnet" and x.dim() == 3 and mask.dim() == 2:  # the summary's token alone is read
                mask = mask.expand(x.shape)
            return x * fitted(mask, x.shape)

        return dropout

    def _softmax(self, taps):
        plain = nn.functional.softmax

        def softmax(x, dim=None, dtype=None, **more):  # in float64, whatever a model asks for
            return plain(taps.scores(x, self.now) if taps.scores and x.dim() == 4 else x, dim=dim)

        return softmax

    def _watch(self, stack, taps):
        """Hooks for one pass; `now` is the place of the layer that runs."""
        self.now = -1
        turn = (lambda h: h.transpose(0, 1)) if self.kind == "xlnet" else (lambda h: h)

        def before(module, args, kwargs):
            self.now += 1
            if not taps.before:
                return None
            if args:
                return (turn(taps.before(turn(args[0]), self.now)), *args[1:]), kwargs
            key = "output_h" if "output_h" in kwargs else "hidden_states"
            return args, {**kwargs, key: turn(taps.before(turn(kwargs[key]), self.now))}

        def after(module, args, output):
            first, *rest = output if isinstance(output, tuple) else (output,)
            if not taps.after:
                return None
            first = turn(taps.after(turn(first), self.now))
            return (first, *rest) if isinstance(output, tuple) else first

        def hook(handle):
            stack.callback(handle.remove)

        for module in self.modules:
            hook(module.register_forward_pre_hook(before, with_kwargs=True))
            hook(module.register_forward_hook(after))
            if not taps.context:
                continue
            if self.kind == "xlnet":
                attention = module.rel_attn
                behind = attention.post_attention

                def post(h, vector, residual=True, behind=behind):
                    length, rows = vector.shape[:2]
                    side_by_side = vector.reshape(length, rows, -1).transpose(0, 1)
                    changed = taps.context(side_by_side, self.now).transpose(0, 1).reshape(vector.shape)
                    return behind(h, changed, residual)

                stack.enter_context(replaced(attention, "post_attention", post))
            else:
                projection = module.get_submodule(PROJECTIONS.get(self.kind, "attention.output.dense"))
                hook(projection.register_forward_pre_hook(lambda _, args: (taps.context(args[0], self.now),)))
        if taps.embedding:
            # XLNet's vectors are turned after the look-up or before it, by version.
            table = self.model.get_input_embeddings()
            hook(table.register_forward_hook(lambda _, args, output: turn(taps.embedding(turn(output)))))


@contextmanager
def replaced(owner, name, value):
    had, before = name in vars(owner), getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before) if had else delattr(owner, name)


def by_place(mask):
    """A mask [B, T + 1, 2 H] of distances 0 to T on either side, as XLNet's rows of distance T to 1 - T: [2 T, B, H]."""
    before, after = mask.chunk(2, -1)
    return torch.cat([before.flip(1), after[:, 1:-1]], 1).transpose(0, 1)


def fitted(mask, shape):
    """A mask in the layout of what it multiplies: without or with axes of 1, or time before rows."""
    if mask.shape == shape:
        return mask
    if mask.dim() == 3 and mask.transpose(0, 1).shape == shape:
        return mask.transpose(0, 1)
    if mask.numel() == shape.numel():
        return mask.reshape(shape)
    raise AssertionError(f"dropout of {list(shape)}, the other side drew {list(mask.shape)}")
