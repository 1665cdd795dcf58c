"""One face named among many people, against embedding it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sandbox.benchmarks.timing import Ratio, alternate


def identify_against_embedding(rounds: int) -> Iterator[Ratio]:
    """One image embedded and searched for among 100,000 enrolled people, against the embedding alone."""
    import torch

    from sandbox.backbones.network import make_network
    from sandbox.inference.trained import Trained
    from sandbox.recipe.specs import BackboneSpec
    from sandbox.recognition.gallery import make_gallery
    from sandbox.recognition.search import PeopleSearcher
    from sandbox.training.device import choose_autocast

    rng, cpu, people = np.random.default_rng(0), torch.device("cpu"), 100_000
    for name, head, size in (("nn4_small2", "none", 96), ("conv6", "linear", 32)):
        spec = BackboneSpec(name=name, head=head)  # type: ignore[arg-type]
        network = make_network(spec, channels=3, image_size=size, mean=[0.5] * 3, std=[0.25] * 3)
        network = network.to(memory_format=torch.channels_last).eval()
        embedder = Trained(name, "", network, size, 3, 0, False, cpu, choose_autocast("auto", cpu))
        x = rng.normal(size=(people, network.dim)).astype(np.float32)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        names, nothing = [f"{place:06d}" for place in range(people)], [""] * people
        searcher = PeopleSearcher(make_gallery(x, names, nothing, nothing, nothing), "mean")
        image = rng.integers(0, 256, (1, size, size, 3), np.uint8)

        def alone(embedder: Trained = embedder, image: np.ndarray = image) -> np.ndarray:
            return embedder.embed(image)

        def identify(alone: Callable[[], np.ndarray] = alone, searcher: PeopleSearcher = searcher) -> None:
            searcher.search(alone())

        ours, other = alternate(identify, alone, rounds * 5)
        what = f"one image among {people:,} people of {network.dim} dimensions, by {name} at {size} px"
        yield Ratio(f"{what}, against embedding it", ours, other, 2)
