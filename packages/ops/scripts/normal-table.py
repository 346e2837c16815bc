"""Writes src/random/normal-table.ts: the inverse of the normal distribution as 993 straight pieces. Needs numpy and scipy.

A draw splits 31 random bits, k = 1, 3, 5 ... 2^31 - 1, into the octave and the next 5 bits (the piece) and 14 further bits
(the fraction f). k / 2^32 is the tail probability, so pieces get shorter with the tail and reach 6.2 deviations. A piece is
the least-squares line through the means of the normal distribution over its cells: z = base / 2^17 - slope f / 2^31.

    python3 packages/ops/scripts/normal-table.py && npx prettier --write packages/ops/src/random/normal-table.ts
"""

import pathlib

import numpy as np
from scipy.stats import norm

PIECES = 32  # an octave
FRACTION = 2**14


def mean(low, high):
    """Mean of the upper tail's z between the tail probabilities low < high."""
    return (norm.pdf(norm.isf(high)) - norm.pdf(norm.isf(low))) / (high - low)


def piece(octave, index):
    start, width = 2.0**octave * (1 + index / PIECES), 2.0**octave / PIECES
    if width >= 64:  # many k: 256 cells of the whole piece
        edges = start + width * np.arange(257) / 256
        fraction = (np.arange(256) + 0.5) / 256 * FRACTION - 0.5
        targets = mean(edges[:-1] / 2**32, edges[1:] / 2**32)
    else:  # the odd k of the piece, one by one
        k = np.arange(np.ceil(start), np.ceil(start + width))
        k = k[k % 2 == 1]
        if len(k) == 0:
            return 0, 0
        fraction = (k - start) / width * FRACTION
        targets = np.array([mean(max(v - 1, 1e-9) / 2**32, (v + 1) / 2**32) for v in k])
    slope = -np.polyfit(fraction, targets, 1)[0] if len(targets) > 1 else 0.0
    slope = round(slope * 2**31)
    base = round((targets.mean() + slope * fraction.mean() / 2**31) * 2**17)
    assert 0 <= slope < 2**12 and 0 <= base < 2**20, (octave, index, slope, base)
    return base, slope


entries = [piece(octave, index) for octave in range(31) for index in range(PIECES)] + [(0, 0)]
words = np.array([base << 12 | slope for base, slope in entries], dtype=np.uint32).astype(np.int32)
out = pathlib.Path(__file__).parent.parent / "src/random/normal-table.ts"
out.write_text(
    "// Written by scripts/normal-table.py.\n\n"
    "/**\n * The inverse of the normal distribution in 993 pieces, 32 an octave of the tail probability: each is `base << 12 | slope`\n"
    " * (20 and 12 bits); see normalUnits for their use.\n */\n"
    "export const normalTable: Int32Array = new Int32Array([\n  " + ", ".join(map(str, words)) + ",\n]);\n"
)
