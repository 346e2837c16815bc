"""The methods by the names of their cases."""

from averages import EMA, SWA, WiSEFT
from certified_method import Plain
from noise_in_the_pass import DropKey, HiddenMixup, HyPe, LayerDrop, NEFTune
from optimizers import Adafactor, Cautious, Lion
from pulls import L2SP, SPD, RecAdam
from schedules import LPFT, GradualUnfreezing, LayerDecay, TopK
from several_gradients import SAM, BiDrop, ChildTuningD, ChildTuningF, FreeLB
from several_passes import LNSR, R3F, R4F, SMART, Cutoff, Distillation, Flooding, RDrop
from stacks import ChildHyPe, HyPeR3F, HyPeRDrop, NoisyHyPe
from starts import NoisyTune, Reinit
from weights_in_the_pass import LoRA, Mixout

METHODS = {
    "plain": Plain,
    "hype": HyPe,
    "r3f": R3F,
    "r3f/r4f": R4F,
    "mixout": Mixout,
    "r-drop": RDrop,
    "child-tuning/f": ChildTuningF,
    "child-tuning/d": ChildTuningD,
    "noisytune": NoisyTune,
    "recadam": RecAdam,
    "l2-sp": L2SP,
    "lnsr": LNSR,
    "top-k": TopK,
    "smart": SMART,
    "freelb": FreeLB,
    "neftune": NEFTune,
    "sam": SAM,
    "layer-decay": LayerDecay,
    "reinit": Reinit,
    "layer-drop": LayerDrop,
    "hidden-mixup": HiddenMixup,
    "bi-drop": BiDrop,
    "drop-key": DropKey,
    "cutoff": Cutoff,
    "distillation": Distillation,
    "spd": SPD,
    "flooding": Flooding,
    "lora": LoRA,
    "ema": EMA,
    "swa": SWA,
    "wise-ft": WiSEFT,
    "lp-ft": LPFT,
    "gradual-unfreezing": GradualUnfreezing,
    "lion": Lion,
    "adafactor": Adafactor,
    "cautious": Cautious,
    "hype + r3f": HyPeR3F,
    "hype + r-drop": HyPeRDrop,
    "noisytune + hype": NoisyHyPe,
    "child-tuning/f + hype": ChildHyPe,
}


def method_of(case):
    """By the case's whole name, or the part before its variant."""
    return METHODS.get(case) or METHODS[case.split("/")[0]]
