"""Child process of bench-trainer.ts: fine-tuning steps of a BERT of transformers in PyTorch, as its trainer has them by
default: dropout, gradients clipped at 1, fused AdamW, a linear schedule.

usage: bench_trainer.py {float32|bfloat16|compiled} CONFIG BATCH LENGTH
CONFIG is JSON. Reads lines with a number of steps, answers each with a JSON line, as packages/engine/bench/worker.ts does.
"""

import json
import resource
import sys
import time

import torch
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

mode, config, batch, length = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.manual_seed(0)
model = BertForSequenceClassification(BertConfig(**config)).train()
run = torch.compile(model) if mode == "compiled" else model
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, fused=True)
schedule = get_linear_schedule_with_warmup(optimizer, 1000, 10_000)
ids, labels = torch.randint(1, 30_000, (batch, length)), torch.arange(batch) % 2
inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}


def step():
    start, processors = time.perf_counter(), time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bfloat16"):
        loss = run(**inputs, labels=labels).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    value = loss.item()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - processors), value


for _ in range(5):
    step()
print("ready", flush=True)
for line in sys.stdin:
    steps = [step() for _ in range(int(line))]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ms, cpu, losses = zip(*steps)
    print(json.dumps(dict(ms=ms, cpu=cpu, script=[], loss=losses[-1], peak=peak)), flush=True)
