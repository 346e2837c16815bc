"""Trains the fixtures' models with PyTorch's `transformers` for 30 steps and stores every loss and where the weights are then.

    python make_trajectory_fixture.py

One model of each type, all its rows in each batch, no dropout; torch.optim.AdamW (rate 1e-3, decay 0.01 of what is neither a bias
nor a normalization), the gradient's norm clipped to 1, the rate up over 3 steps and down on a line. Needs torch, transformers,
safetensors. Run it in this folder.
"""

import inspect
import json
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
MODELS = HERE / "../../packages/models/fixtures"
STEPS = 30


def decays(name, parameter):
    """Kernels and tables alone."""
    return parameter.dim() > 1


def numbers(tensor, count=4):
    """The norm and the first entries, in 8 digits."""
    return [float(f"{v:.8g}") for v in [tensor.norm().item(), *tensor.flatten()[:count].tolist()]]


def train(folder):
    expected = json.loads((folder / "expected.json").read_text())
    config = AutoConfig.from_pretrained(folder, attn_implementation="eager")
    model = AutoModelForSequenceClassification.from_pretrained(folder, config=config).eval()
    inputs = {
        "input_ids": torch.tensor(expected["inputIds"]),
        "attention_mask": torch.tensor(expected["attentionMask"]),
        "labels": torch.tensor(expected["labels"]),
    }
    if "token_type_ids" in inspect.signature(model.forward).parameters:
        inputs["token_type_ids"] = torch.tensor(expected["tokenTypeIds"])
    if config.num_labels == 1:
        inputs["labels"] = inputs["labels"].float()
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if decays(n, p)], "weight_decay": 0.01},
        {"params": [p for n, p in named if not decays(n, p)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, 3, STEPS)
    losses = []
    moved = set()
    for _ in range(STEPS):
        loss = model(**inputs).loss
        loss.backward()
        sizes = {n: p.grad.abs().max().item() for n, p in named if p.grad is not None}
        # A gradient that only rounding keeps from zero, of a key's bias: AdamW makes full steps of it, to either side.
        moved |= {n for n, size in sizes.items() if size > 1e-6 * max(sizes.values())}
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    with torch.no_grad():
        logits = model(**inputs).logits
    return {
        "losses": losses,
        "logits": logits.tolist(),
        "weights": {name: numbers(parameter.detach()) for name, parameter in named if name in moved},
    }


folders = [MODELS / name for name in ["bert", "electra", "roberta"]]
types = set(json.loads((folder / "config.json").read_text())["model_type"] for folder in folders)
for folder in sorted((MODELS / "families").iterdir()):
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    if kind not in types:
        types.add(kind)
        folders.append(folder)
fixture = {folder.name: train(folder) for folder in folders}
(HERE / "../fixtures/trajectories.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
