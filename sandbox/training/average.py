"""`Average`: a moving average of the weights, which is validated and kept in the place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

Tensors = dict[str, torch.Tensor]


class Average:
    """An exponential moving average over the steps of what training changes.

    After step t, counted from 0, each averaged number is d average + (1 - d) number with d = min(decay, (1 + t) /
    (10 + t)), so that the first weights, which are random, are soon forgotten (the warm-up of TensorFlow's
    `ExponentialMovingAverage`; averages over steps go back to Polyak and Juditsky, "Acceleration of Stochastic
    Approximation by Averaging", 1992).

    Averaged are the weights that learn, of the network and of what losses own, and the network's buffers of real
    numbers, which are its batch statistics. What else there is, such as counters and the queues of losses, stays as
    the last step left it.
    """

    def __init__(self, network: nn.Module, objective: nn.Module, decay: float):
        self.decay = decay
        self._network, self._objective = network, objective
        self._held: Tensors = {name: tensor.detach().clone() for name, tensor in self._live().items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights as `step`, from 0, has left them."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        live = self._live()
        torch._foreach_lerp_(list(self._held.values()), [live[name] for name in self._held], share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While it lasts the network and the objective have the averages; the last weights are back afterwards."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state_dict(self) -> Tensors:
        """The averages themselves, by part and name."""
        return dict(self._held)

    def load(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put averages back that `state_dict` gave.

        Raises:
            KeyError: one is missing.
            ValueError: one is unknown, or of another shape or kind.
        """
        if lost := self._held.keys() - tensors.keys():
            raise KeyError(f"average/{min(lost)} is missing")
        for name, tensor in tensors.items():
            held = self._held.get(name)
            if held is None or held.shape != tensor.shape or held.dtype != tensor.dtype:
                raise ValueError(f"average/{name} is unknown, or of another shape or kind")
            held.copy_(tensor)

    def _live(self) -> Tensors:
        """What is averaged, as it is now; shared with the modules, and looked up anew as these may replace it."""
        learnt = ((name, weight) for name, weight in self._network.named_parameters() if weight.requires_grad)
        rows: Tensors = {f"network/{name}": weight for name, weight in learnt}
        buffers = self._network.named_buffers()
        rows |= {f"network/{name}": values for name, values in buffers if values.is_floating_point()}
        rows |= {f"objective/{name}": weight for name, weight in self._objective.named_parameters()}
        return {name: tensor.detach() for name, tensor in rows.items()}

    @torch.no_grad()
    def _exchange(self) -> None:
        """The averages into the modules and theirs to here, a tensor at a time, so that little memory is taken."""
        for name, live in self._live().items():
            was = live.clone()
            live.copy_(self._held[name])
            self._held[name].copy_(was)


def averaged(average: Average | None) -> AbstractContextManager[None]:
    """`Average.in_place`, or nothing where there is none."""
    return nullcontext() if average is None else average.in_place()
