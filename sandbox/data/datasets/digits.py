"""scikit-learn's 1,797 handwritten digits, 8x8: the smallest data set there is, for a first look."""

from __future__ import annotations

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import image_set, without_small
from sandbox.data.images.resize import resized
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits
from sandbox.recipe.specs import DataSpec


def load(spec: DataSpec) -> Splits:
    """The ten digits, split by sample or by class, both drawn by the seed; auto is by sample.

    Ten classes split by class leave two to choose by and three to be judged on, on which raw pixels are better than
    what five classes teach.

    Raises:
        SandboxError: `data.min_images` above the classes, or shares that leave nothing.
    """
    from sklearn.datasets import load_digits

    drawn = load_digits()
    grey = np.rint(drawn.images * (255.0 / 16.0)).astype(np.uint8)  # the scans count 0 .. 16 dots
    images = image_set(
        resized(grey[..., None], Form.of(spec)),
        [str(digit) for digit in drawn.target],
        [f"digit-{number:04d}" for number in range(len(grey))],
    )
    images, notes = without_small(images, spec.min_images)
    part = class_disjoint if spec.split == "class" else sample_disjoint
    return part(images, spec.validation, spec.test, spec.split_seed, notes=notes)


DATA_SET = DataSet(
    name="digits",
    load=load,
    line="1,797 handwritten digits of scikit-learn, 10 classes; seconds a run, for a first look",
    citation="Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository",
    source="embedded",
    has_files=False,
    image_size=16,
    splits=("auto", "class", "sample"),
)
