"""Calibrations whose ranks are given and not computed."""

import numpy as np

from tests.support.designs import SMALL
from upturn.questions.calibrate.result import Calibration, Check, Scale


def made_up(*pits):
    checks = tuple(Check(f"check {i}", np.asarray(pit)) for i, pit in enumerate(pits))
    curves = SMALL.curves(100)
    scale = Scale(checks[0], np.full(30, 0.5), np.full(30, 2.0), np.arange(30) < 27)
    meta = {"arguments": {"models": ["hinge"], "likelihood": ["beta-binomial"], "table": None}}
    return Calibration(checks, (scale,), curves, (), 0.9, meta)
