"""Runs the published code of five methods on small fixed weights, with injected noise and masks, and stores what it gives.

    python make_fixtures.py --hype DIR --fairseq DIR --mixout DIR --child-tuning DIR --recadam DIR --out ../fixtures

Each DIR is a checkout, none of which is part of this repository:
    hype          Yuanhy1997/HyPe          196efd5f02a8766171e7c8ed1faaf445bf1c24d8
    fairseq       facebookresearch/fairseq 3d262bb25690e4eb2e7d3c1309b1e9c406ca4b99 (examples/rxf alone is read)
    mixout        bloodwass/mixout         18f377d2744597eb7716fc46cf90d87d7db66186
    child-tuning  RunxinXu/ChildTuning     d0d86557ac5ba9769e008d78bfa957d4d700dae9
    recadam       Sanyuan-Chen/RecAdam     505ba3c265d5b6b90996dddd254f3eb38adaabae

Needs torch and, for the first and the fourth, transformers 4.30. Everything is computed in float64 (the R3F criterion forces
its divergence to float32). Nothing here reproduces a formula: numbers come out of the published functions.
"""

import argparse
import importlib.util
import json
import sys
import types
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)


def load(folder, path, name):
    """A module from a file, under a name of its own."""
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(name, Path(folder) / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def numbers(tensor):
    """Nested lists with 10 significant digits."""
    values = tensor.detach().double().tolist()
    shorten = lambda v: [shorten(x) for x in v] if isinstance(v, list) else float(f"{v:.10g}")
    return shorten(values)


def drawn(*shape, deviation=1.0, digits=2):
    """Normal numbers with few digits, so that a file states them exactly."""
    return (torch.randn(*shape) * deviation).mul(10**digits).round().div(10**digits)


def write(folder, name, content):
    with open(Path(folder) / f"{name}.json", "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")


# ---------------------------------------------------------------------------------------------------------------- HyPe


class InjectedNoise:
    """Stands for torch.cuda.FloatTensor, whose draws it takes from a list."""

    queue = []

    def __init__(self, shape):
        self.shape = shape

    def normal_(self):
        noise = InjectedNoise.queue.pop(0)
        assert noise.shape == self.shape
        return noise

    uniform_ = normal_


def without_docstring_decorators():
    """The decorators of the file's age took other arguments; they change documentation alone."""
    import transformers.file_utils as utils

    for name in (
        "add_code_sample_docstrings",
        "add_start_docstrings",
        "add_start_docstrings_to_model_forward",
        "replace_return_docstrings",
    ):
        setattr(utils, name, lambda *args, **kwargs: lambda function: function)


def hype(folder):
    without_docstring_decorators()
    torch.cuda.FloatTensor = InjectedNoise
    published = load(folder, "hype_modeling_bert.py", "hype_modeling_bert")
    config = published.BertConfig(
        vocab_size=12,
        hidden_size=8,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=12,
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        max_position_embeddings=8,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
        num_labels=2,
    )
    torch.manual_seed(1)
    model = published.BertForSequenceClassification_HyPe(config).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(drawn(*parameter.shape, deviation=0.3) + (1 if name.endswith("LayerNorm.weight") else 0))
    batch = {
        "input_ids": torch.tensor([[2, 5, 7, 9, 3], [2, 11, 4, 3, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]),
        "token_type_ids": torch.tensor([[0, 0, 0, 1, 1], [0, 0, 1, 1, 0]]),
        "labels": torch.tensor([1, 0]),
    }
    noise = [drawn(2, 5, 8) for _ in range(3)]
    cases = []
    for kind, layers in (("normal", None), ("uniform", None), ("normal", [2]), ("normal", [0, 2])):
        unit = [n.abs() % 1 for n in noise] if kind == "uniform" else noise
        chosen = range(3) if layers is None else layers
        InjectedNoise.queue = [unit[layer] for layer in chosen]
        model.bert.encoder.add_noise_sampler(0.1, kind, layer_range=layers)
        model.train()
        model.zero_grad()
        output = model(**batch)
        output.loss.backward()
        case = {
            "noise": kind,
            "layers": layers,
            "draws": [numbers(unit[layer]) for layer in chosen],
            "loss": float(output.loss),
            "logits": numbers(output.logits),
        }
        if not cases:
            case["gradients"] = {name: numbers(p.grad) for name, p in model.named_parameters()}
        cases.append(case)
    model.eval()
    return {
        "config": {key: config.to_dict()[key] for key in BERT_KEYS},
        "weights": {name: numbers(p) for name, p in model.named_parameters()},
        "batch": {key: value.tolist() for key, value in batch.items()},
        "scale": 0.1,
        "evaluation": numbers(model(**batch).logits),
        "cases": cases,
    }


BERT_KEYS = (
    "model_type vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "hidden_dropout_prob attention_probs_dropout_prob max_position_embeddings type_vocab_size layer_norm_eps"
).split()


# ----------------------------------------------------------------------------------------------------------------- R3F


def fairseq_stub():
    """What the criterion's file imports of fairseq: a registration and a base class."""
    fairseq = types.ModuleType("fairseq")
    fairseq.utils = types.SimpleNamespace(item=lambda value: value.item())
    criterions = types.ModuleType("fairseq.criterions")

    class FairseqCriterion(torch.nn.Module):
        def __init__(self, task):
            super().__init__()

    criterions.FairseqCriterion = FairseqCriterion
    criterions.register_criterion = lambda name: lambda cls: cls
    fairseq.criterions = criterions
    sys.modules.update({"fairseq": fairseq, "fairseq.criterions": criterions})


class MeanOfTokens(torch.nn.Module):
    """The least model that the criterion accepts: table, mean over tokens, tanh layer, head."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Module()
        self.encoder.sentence_encoder = torch.nn.Module()
        self.encoder.sentence_encoder.embed_tokens = torch.nn.Embedding(7, 4)
        self.dense = torch.nn.Linear(4, 5)
        self.classification_heads = torch.nn.ModuleDict({"head": torch.nn.Linear(5, 3)})

    def forward(self, src_tokens, token_embeddings, features_only, classification_head_name):
        hidden = torch.tanh(self.dense(token_embeddings.mean(1)))
        return self.classification_heads[classification_head_name](hidden), None

    def get_targets(self, sample, outputs):
        return sample["target"]


def r3f(folder):
    fairseq_stub()
    published = load(folder, "examples/rxf/rxf_src/sentence_prediction_r3f.py", "sentence_prediction_r3f")
    torch.manual_seed(2)
    model = MeanOfTokens()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(drawn(*parameter.shape, deviation=0.7))
    criterion = published.SentencePredictionR3F(None, 0.5, 0.7, "uniform", "head", False)
    noise = drawn(3, 4, 4, deviation=0.5)
    criterion.noise_sampler = types.SimpleNamespace(sample=lambda sample_shape: noise)
    tokens = torch.tensor([[1, 2, 3, 4], [6, 5, 2, 0], [3, 3, 1, 5]])
    sample = {"net_input": {"src_tokens": tokens}, "target": torch.tensor([2, 0, 1]), "ntokens": 12}
    model.train()
    loss, size, logged = criterion(model, sample)
    (loss / size).backward()
    table, dense, head = model.encoder.sentence_encoder.embed_tokens, model.dense, model.classification_heads["head"]
    layers = {"table": table.weight, "dense": dense.weight, "denseBias": dense.bias}
    layers.update({"head": head.weight, "headBias": head.bias})
    return {
        "tokens": tokens.tolist(),
        "labels": sample["target"].tolist(),
        "noise": numbers(noise),
        "weight": 0.7,
        "weights": {name: numbers(p) for name, p in layers.items()},
        "loss": float(loss) / size,
        "divergence": float(logged["symm_kl"]) / size,
        "gradients": {name: numbers(p.grad) for name, p in layers.items()},
    }


# -------------------------------------------------------------------------------------------------------------- Mixout


def mixout(folder):
    sys.path.insert(0, str(folder))
    from mixout import MixLinear

    draw = torch.Tensor.bernoulli_
    torch.manual_seed(3)
    cases = []
    for p in (0.1, 0.5, 0.9):
        layer = MixLinear(4, 3, True, target=drawn(3, 4), p=p)
        with torch.no_grad():
            layer.weight.copy_(drawn(3, 4))
            layer.bias.copy_(drawn(3))
        x, upstream = drawn(2, 4), drawn(2, 3)
        mask = torch.tensor([1.0, 0.0, 1.0, 1.0])
        torch.Tensor.bernoulli_ = lambda self, keep: self.copy_(mask)
        layer.train()
        output = layer(x)
        output.backward(upstream)
        torch.Tensor.bernoulli_ = draw
        layer.eval()
        cases.append(
            {
                "p": p,
                "weight": numbers(layer.weight),
                "bias": numbers(layer.bias),
                "target": numbers(layer.target),
                "mask": mask.tolist(),
                "input": numbers(x),
                "upstream": numbers(upstream),
                "output": numbers(output),
                "evaluation": numbers(layer(x)),
                "weightGradient": numbers(layer.weight.grad),
                "biasGradient": numbers(layer.bias.grad),
            }
        )
    return {"cases": cases}


# ------------------------------------------------------------------------------------- optimizers: the same two layers

SHAPES = {"hidden/kernel": (2, 3), "hidden/bias": (3,), "head/kernel": (3, 2), "head/bias": (2,)}
OPTIMIZER = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-3, "weightDecay": 0.1}


def optimizer_problem(steps):
    start = {name: drawn(*shape) for name, shape in SHAPES.items()}
    gradients = [{name: drawn(*shape) for name, shape in SHAPES.items()} for _ in range(steps)]
    return start, gradients


def run_optimizer(optimizer, parameters, gradients, before_step=lambda step: None):
    """The weights after each step."""
    seen = []
    for step, gradient in enumerate(gradients):
        before_step(step)
        for name, parameter in parameters.items():
            parameter.grad = gradient[name].clone()
        optimizer.step()
        seen.append({name: numbers(p) for name, p in parameters.items()})
    return seen


def groups(parameters, **more):
    """Kernels decay, biases do not."""
    return [
        {"params": [p for name, p in parameters.items() if kind in name], "weight_decay": decay, **more}
        for kind, decay in (("kernel", OPTIMIZER["weightDecay"]), ("bias", 0.0))
    ]


def shared_options():
    o = OPTIMIZER
    return {"lr": o["learningRate"], "betas": (o["beta1"], o["beta2"]), "eps": o["epsilon"]}


def child_tuning(folder):
    published = load(folder, "ChildTuningOptimizer.py", "ChildTuningOptimizer")
    torch.manual_seed(4)
    start, gradients = optimizer_problem(3)
    masks = [{name: (torch.rand(shape) < 0.4).double() for name, shape in SHAPES.items()} for _ in range(3)]
    queue = []
    published.Bernoulli = lambda probabilities: types.SimpleNamespace(sample=lambda: queue.pop(0))

    def run(mode):
        parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
        optimizer = published.ChildTuningAdamW(groups(parameters), reserve_p=0.4, mode=mode, **shared_options())
        fixed = {p: masks[0][name] for name, p in parameters.items() if "hidden" in name}
        optimizer.set_gradient_mask(fixed)
        order = [name for kind in ("kernel", "bias") for name in SHAPES if kind in name]
        return run_optimizer(
            optimizer, parameters, gradients, lambda step: queue.extend(masks[step][name] for name in order)
        )

    return {
        "optimizer": OPTIMIZER,
        "reserve": 0.4,
        "start": {name: numbers(value) for name, value in start.items()},
        "gradients": [{name: numbers(value) for name, value in each.items()} for each in gradients],
        "masks": [{name: numbers(value) for name, value in each.items()} for each in masks],
        "F": run("ChildTuning-F"),
        "D": run("ChildTuning-D"),
        "fisher": child_tuning_fisher(folder),
    }


class TwoLayers(torch.nn.Module):
    """Names with `layer` in them are what the published code masks."""

    def __init__(self):
        super().__init__()
        self.layer_0, self.layer_1 = torch.nn.Linear(3, 4), torch.nn.Linear(4, 4)
        self.classifier = torch.nn.Linear(4, 2)

    def forward(self, x, labels):
        logits = self.classifier(torch.tanh(self.layer_1(torch.tanh(self.layer_0(x)))))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels)}


def child_tuning_fisher(folder):
    without_docstring_decorators()
    published = load(folder, "ChildTuningD.py", "ChildTuningD")
    torch.manual_seed(5)
    model = TwoLayers()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(drawn(*parameter.shape))
    rows = [{"x": drawn(3), "labels": torch.tensor(i % 2), "idx": i} for i in range(6)]
    trainer = types.SimpleNamespace(
        model=model,
        reserve_p=0.3,
        train_dataset=rows,
        data_collator=lambda batch: {key: torch.stack([torch.as_tensor(row[key]) for row in batch]) for key in rows[0]},
        _prepare_inputs=lambda inputs: inputs,
        # One row a batch, so that the shuffled order does not matter.
        args=types.SimpleNamespace(
            per_device_train_batch_size=1,
            dataloader_drop_last=False,
            dataloader_num_workers=0,
            dataloader_pin_memory=False,
            max_grad_norm=0.5,
        ),
    )
    chosen = published.ChildTuningDtrainer.calculate_fisher(trainer)
    return {
        "reserve": 0.3,
        "clip": 0.5,
        "inputs": [numbers(row["x"]) for row in rows],
        "labels": [int(row["labels"]) for row in rows],
        "weights": {name: numbers(p) for name, p in model.named_parameters()},
        "masks": {name: numbers(chosen[p]) for name, p in model.named_parameters() if p in chosen},
    }


def recadam(folder):
    published = load(folder, "RecAdam.py", "RecAdam")
    torch.manual_seed(6)
    start, gradients = optimizer_problem(4)
    settings = {"anneal_k": 0.5, "anneal_t0": 2, "pretrain_cof": 10.0}

    def run(annealing):
        parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
        pick = lambda part, source: {name: source[name] for name in SHAPES if part in name}

        def group(part, weight):
            made = groups(pick(part, parameters), anneal_w=weight)
            pretrained = pick(part, start)
            for kind, each in zip(("kernel", "bias"), made):
                each["pretrain_params"] = [value for name, value in pretrained.items() if kind in name]
            return made

        optimizer = published.RecAdam(
            group("hidden", 1.0) + group("head", 0.0), anneal_fun=annealing, **settings, **shared_options()
        )
        return run_optimizer(optimizer, parameters, gradients)

    return {
        "optimizer": OPTIMIZER,
        "rate": settings["anneal_k"],
        "midpoint": settings["anneal_t0"],
        "pull": settings["pretrain_cof"],
        "start": {name: numbers(value) for name, value in start.items()},
        "gradients": [{name: numbers(value) for name, value in each.items()} for each in gradients],
        "weights": {annealing: run(annealing) for annealing in ("sigmoid", "linear", "constant")},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    makers = {"hype": hype, "fairseq": r3f, "mixout": mixout, "child-tuning": child_tuning, "recadam": recadam}
    for name in makers:
        parser.add_argument(f"--{name}", metavar="DIR", help=f"checkout of {name}; left out: its fixture stays")
    parser.add_argument("--out", required=True)
    given = vars(parser.parse_args())
    for name, make in makers.items():
        folder = given[name.replace("-", "_")]
        if folder:
            write(given["out"], make.__name__.replace("_", "-"), make(Path(folder).resolve()))


if __name__ == "__main__":
    main()
