"""Child process of bench-predict.ts: a classifier on onnxruntime or PyTorch. `bench_predict.py ENGINE MODEL TEXTS BATCH`.

Reads "passes" lines, answers each with a JSON line, as packages/engine/bench/worker.ts does.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

engine, folder, texts_file, batch = sys.argv[1:5]
batch = int(batch)
texts = json.load(open(texts_file))
tokenizer = AutoTokenizer.from_pretrained(folder)


def torch_model(dtype=None):
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="sdpa")
    return model.eval() if dtype is None else model.to(dtype).eval()


def onnx_session(quantized):
    import onnxruntime

    file = os.path.join(folder, "int8.onnx" if quantized else "model.onnx")
    if not os.path.exists(file):
        plain = os.path.join(folder, "model.onnx")
        if not os.path.exists(plain):
            export(plain)
        if quantized:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(plain, file, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def export(file):
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    example = tokenizer(["one text", "another longer text"], padding=True, return_tensors="pt")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "rows", 1: "length"} for name in names}
    torch.onnx.export(
        model,
        tuple(example[name] for name in names),
        file,
        input_names=names,
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "rows"}},
        dynamo=False,
    )


if engine.startswith("onnx"):
    session = onnx_session(engine == "onnx-int8")

    def logits(encoded):
        return session.run(None, {name: encoded[name] for name in ("input_ids", "attention_mask", "token_type_ids")})[0]

    kind = "np"
else:
    model = torch_model(torch.bfloat16 if engine == "torch-bfloat16" else None)

    def logits(encoded):
        with torch.inference_mode():
            return model(**encoded).logits.float().numpy()

    kind = "pt"


def predict(rows):
    encoded = tokenizer(rows, truncation=True, max_length=128)
    order = sorted(range(len(rows)), key=lambda row: -len(encoded["input_ids"][row]))
    result = np.zeros((len(rows), 2), np.float32)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        padded = tokenizer.pad({key: [encoded[key][row] for row in part] for key in encoded}, return_tensors=kind)
        result[part] = logits(padded)
    return result


predict(texts[:1])
print("ready", flush=True)
for line in sys.stdin:
    ms, cpu = [], []
    for _ in range(int(line)):
        began, used = time.perf_counter(), time.process_time()
        result = predict(texts)
        ms.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"ms": ms, "cpu": cpu, "script": [], "loss": float(np.abs(result).mean()), "peak": peak}), flush=True
    )
