"""What is odd about a part of a split, in sentences: they stand here because a part may be replaced by another."""

from __future__ import annotations

from sandbox.data.images.image_set import ImageSet


def single_class(name: str, images: ImageSet, advice: str = "data.split=sample may serve better") -> list[str]:
    """A sentence on a part to evaluate that holds one class; none where it holds more."""
    if len(images.classes) != 1:
        return []
    return [f"the {name} split holds a single class, so retrieval there cannot go wrong; {advice}"]


def also_trained_on(name: str, images: ImageSet, train: ImageSet) -> list[str]:
    """A sentence on classes of a part to evaluate that are trained on as well; none where there are no such classes."""
    both = len(set(train.classes) & set(images.classes))
    return [f"trained on as well: {both:,} of the {len(images.classes):,} {name} classes"] if both else []
