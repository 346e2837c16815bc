"""Child process of step.ts: the same training step in PyTorch, eager, compiled, or under bfloat16 autocast, with fused AdamW,
on the first CUDA GPU if there is one.

usage: torch_step.py {eager|compile|bfloat16|compile-bfloat16} MODEL batch length
MODEL is JSON: the sizes of a BERT, or the config.json of a model of transformers.
Reads lines with a number of steps, answers each with a JSON line. Needs only torch for a BERT.
"""
import json, math, resource, sys, time
from inspect import signature

import torch, torch.nn as nn, torch.nn.functional as F

mode = sys.argv[1]
device = "cuda" if torch.cuda.is_available() else "cpu"
shape = json.loads(sys.argv[2])
batch, length = map(int, sys.argv[3:5])
published = "model_type" in shape
if not published:
    layers, hidden, heads, inner = (shape[key] for key in ("layers", "hidden", "heads", "intermediate"))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(hidden, hidden) for _ in range(4))
        self.first_norm, self.second_norm = nn.LayerNorm(hidden, 1e-12), nn.LayerNorm(hidden, 1e-12)
        self.widen, self.narrow = nn.Linear(hidden, inner), nn.Linear(inner, hidden)

    def forward(self, x):
        split = lambda t: t.view(batch, length, heads, hidden // heads).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        p = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(hidden // heads), -1)
        x = self.first_norm(x + self.output((p @ v).transpose(1, 2).reshape(batch, length, hidden)))
        return self.second_norm(x + self.narrow(F.gelu(self.widen(x))))


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.word, self.position, self.kind = (nn.Embedding(n, hidden) for n in (30522, 512, 2))
        self.norm = nn.LayerNorm(hidden, 1e-12)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.pool, self.head = nn.Linear(hidden, hidden), nn.Linear(hidden, 2)

    def forward(self, ids):
        x = self.norm(self.word(ids) + self.position(torch.arange(length, device=device)) + self.kind(torch.zeros_like(ids)))
        for block in self.blocks:
            x = block(x)
        return self.head(torch.tanh(self.pool(x[:, 0])))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        from transformers import AutoConfig, AutoModelForSequenceClassification

        self.inner = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**shape))
        self.typed = "token_type_ids" in signature(self.inner.forward).parameters

    def forward(self, ids):
        types = {"token_type_ids": torch.zeros_like(ids)} if self.typed else {}
        return self.inner(input_ids=ids, attention_mask=torch.ones_like(ids), **types).logits


torch.manual_seed(0)
model = (Encoder() if published else Bert()).to(device)
run = torch.compile(model) if mode.startswith("compile") else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
ids, labels = torch.randint(0, 30522, (batch, length)).to(device), torch.randint(0, 2, (batch,)).to(device)


def step():
    start, processors = time.perf_counter(), time.process_time()
    with torch.autocast(device, torch.bfloat16, enabled=mode.endswith("bfloat16")):
        loss = F.cross_entropy(run(ids).float(), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    value = loss.item()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - processors), value


for _ in range(3 if published else 10):
    step()
print("ready", flush=True)
for line in sys.stdin:
    steps = [step() for _ in range(int(line))]
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else resident
    print(json.dumps(dict(ms=[s[0] for s in steps], cpu=[s[1] for s in steps], script=[], loss=steps[-1][2], peak=peak)), flush=True)
