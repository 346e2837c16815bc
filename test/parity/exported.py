"""What an exported folder says under onnxruntime, beside transformers: python exported.py FOLDER ROWS.jsonl

A row of ROWS is {"text": ..., "pair": ..., "label": ...}; pair and label may be missing. Prints for every graph the largest
difference of logits to transformers' float32 model, accuracy (or Pearson's r), size and time of a text.
"""

import json
import os
import sys
import time

import numpy as np
import onnxruntime
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, rows = sys.argv[1], [json.loads(line) for line in open(sys.argv[2], encoding="utf8")]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
threads = int(os.environ.get("THREADS", "2"))
torch.set_num_threads(threads)
order = sorted(range(len(rows)), key=lambda i: len(rows[i]["text"]) + len(rows[i].get("pair") or ""))
batches = []
for start in range(0, len(rows), 16):
    chosen = [rows[i] for i in order[start : start + 16]]
    pairs = [row["pair"] for row in chosen] if chosen[0].get("pair") else None
    batches.append(
        tokenizer([row["text"] for row in chosen], pairs, padding=True, truncation=True, return_tensors="pt")
    )
labels = np.array([rows[i].get("label", 0) for i in order])


def figure(logits):
    if logits.shape[1] == 1:
        return "pearson %.4f" % np.corrcoef(logits[:, 0], labels)[0, 1]
    return "accuracy %.4f" % (logits.argmax(1) == labels).mean()


def timed(run):
    run(batches[0])
    start = time.perf_counter()
    logits = np.concatenate([run(batch) for batch in batches])
    return logits, 1000 * (time.perf_counter() - start) / len(rows)


with torch.no_grad():
    wanted, milliseconds = timed(lambda batch: model(**batch).logits.numpy())
print(f"transformers: {figure(wanted)}, {milliseconds:.2f} ms a text")
for name in sorted(os.listdir(f"{folder}/onnx")):
    if not name.endswith(".onnx"):
        continue
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(f"{folder}/onnx/{name}", options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    logits, milliseconds = timed(lambda batch: session.run(None, {n: batch[n].numpy() for n in names})[0])
    megabytes = os.path.getsize(f"{folder}/onnx/{name}") / 1e6
    print(
        f"{name}: {figure(logits)}, largest difference {np.abs(logits - wanted).max():.1e}, "
        f"{megabytes:.1f} MB, {milliseconds:.2f} ms a text"
    )
