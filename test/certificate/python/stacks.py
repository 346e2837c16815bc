"""Stacks of HyPe with other methods, as its paper has them."""

import torch

from certified_method import LOSS_FAULTS, Method
from certified_model import Taps
from noise_in_the_pass import HyPe
from several_gradients import ChildTuningF
from several_passes import R3F, RDrop
from starts import NoisyTune


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
