"""Small ONNX networks as others write them: an embedding that is the weighed mean of each channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS = np.array([[1.0, 2.0, -1.0, 0.5], [0.5, -1.0, 1.0, 2.0], [-2.0, 1.0, 0.5, 1.0]], np.float32)
"""From three channels to four numbers."""


def write(
    path: Path,
    *,
    shape: tuple[Any, ...] = ("n", 3, 8, 8),
    outputs: tuple[str, ...] = ("embedding",),
    said: dict[str, str] | None = None,
    kind: str = "FLOAT",
) -> Path:
    """An ONNX file: channels' means times `WEIGHTS`, once for each output, the second twice as long and so on."""
    from onnx import TensorProto, helper, numpy_helper, save

    last = shape[3] == 3
    nodes = [helper.make_node("Cast", ["input"], ["x"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0)]
    tensors = [numpy_helper.from_array(np.array([1, 2] if last else [2, 3]), "axes")]
    for number, name in enumerate(outputs, start=1):
        tensors.append(numpy_helper.from_array(WEIGHTS * number - (number - 1), f"w{number}"))
        nodes.append(helper.make_node("MatMul", ["means", f"w{number}"], [name]))
    gives = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [shape[0], 4]) for name in outputs]
    takes = helper.make_tensor_value_info("input", getattr(TensorProto, kind), list(shape))
    model = helper.make_model(
        helper.make_graph(nodes, "g", [takes], gives, tensors), opset_imports=[helper.make_opsetid("", 18)]
    )
    model.ir_version = 9
    for key, value in (said or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    save(model, str(path))
    return path


def wanted(pixels: np.ndarray, *, mean: Any = 0.0, scale: Any = 1.0, bgr: bool = False) -> np.ndarray:
    """What such a file gives for RGB images (N, S, S, 3) uint8, made unit length."""
    images = (pixels[..., ::-1] if bgr else pixels).astype(np.float64)
    rows = ((images - np.array(mean)) * np.array(scale)).mean((1, 2)) @ WEIGHTS.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
