"""Prints the golden draws of src/random/draw.test.ts, computed from the description of the algorithm alone: Python's whole
numbers and fractions, the tables' pieces, and one rounding to float32. Needs numpy (for float32).

    python3 packages/ops/scripts/golden-draws.py
"""

import pathlib
import re

import numpy as np

MASK = 2**32 - 1
ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]
SOURCE = pathlib.Path(__file__).parent.parent / "src/random/normal-table.ts"
TABLE = [int(word) & MASK for word in re.findall(r"-?\d+", SOURCE.read_text().split("Int32Array([")[1])]


def threefry(key, counter):
    keys = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    x = [(counter[0] + keys[0]) & MASK, (counter[1] + keys[1]) & MASK]
    for r in range(13):
        x[0] = (x[0] + x[1]) & MASK
        x[1] = (x[1] << ROTATIONS[r % 8] | x[1] >> 32 - ROTATIONS[r % 8]) & MASK
        x[1] ^= x[0]
        if r % 4 == 3:
            i = (r + 1) // 4
            x = [(x[0] + keys[i % 3]) & MASK, (x[1] + keys[(i + 1) % 3] + i) & MASK]
    return x


def words(rows, places, features, key):
    """Row after row; the rows of a pair share blocks of the counters (65,536 place + feature, pair)."""
    return [
        threefry(key, (place << 16 | feature, row >> 1))[row & 1]
        for row in range(rows)
        for place in range(places)
        for feature in range(features)
    ]


def normal(word, deviation):
    k = word & 0x7FFFFFFF | 1
    bits = int(np.float32(k).view(np.uint32))
    entry = TABLE[(bits >> 18) - 127 * 32]
    z = (entry >> 12) * 16 - ((entry & 0xFFF) * (bits >> 4 & 0x3FFF) >> 10)
    return np.float32(z) * np.float32(2.0**-21) * np.float32(deviation) * (-1 if word >> 31 else 1)


def uniform(word, low, high):
    scale = 2.0**-100
    while max(abs(low), abs(high)) > scale * 2**24:
        scale *= 2
    offset, end = round(low / scale), round(high / scale)
    return np.float32((offset + ((2 * (word >> 8) + 1) * (end - offset) >> 25)) * scale)


def bernoulli(word, probability):
    return np.float32((word >> 2) < round(probability * 2**30))


def show(name, values):
    print(name, " ".join(f"{int(np.float32(v).view(np.uint32)):08x}" for v in values))


w = words(3, 2, 2, (1, 0x9E3779B9))
show("normal 1", [normal(word, 1) for word in w])
show("normal 1e-5", [normal(word, 1e-5) for word in w])
show("uniform -0.1 0.3", [uniform(word, -0.1, 0.3) for word in w])
show("uniform -1e-5 1e-5", [uniform(word, -1e-5, 1e-5) for word in w])
show("bernoulli 0.5", [bernoulli(word, 0.5) for word in w])
