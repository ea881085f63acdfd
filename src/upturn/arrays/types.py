"""The types of arrays."""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Booleans = NDArray[np.bool_]
type Objects = NDArray[np.object_]
type Index = NDArray[np.intp]
