"""Runs a model file in onnxruntime, as an independent reader, and compares with the answers recorded in it.

Usage: check_model.py FILE. Needs onnx, onnxruntime and numpy. Prints the largest difference of a logit, of one above 1
relative to it; exits 1 when the checker or the comparison fails.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime


def self_test_input(frames: int, rows: int) -> np.ndarray:
    """The input of `SelfTest::input`: a 64-bit linear congruential generator, -80 to 0, frame after frame."""
    state, values = 1, []
    for _ in range(frames * rows):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(-80.0 * (state >> 40) / 2**24)
    return np.array(values, dtype=np.float32).reshape(frames, rows).T[np.newaxis]


def raise_to_floor(features: np.ndarray, floor: dict) -> np.ndarray:
    """`Floor::raise_all`: no band lies further below the loudest so far, of the first frames all of them, than its depth."""
    raised, bands = features.copy(), features.shape[1]
    depths = np.linspace(floor["low_db"], floor["high_db"], bands, dtype=np.float32)
    loudest = features[0, :, : floor["hold"]].max()
    for frame in range(features.shape[2]):
        if frame >= floor["hold"]:
            loudest = max(loudest - floor["release_db"], features[0, :, frame].max())
        raised[0, :, frame] = np.maximum(features[0, :, frame], loudest - depths)
    return raised


def main(path: str) -> int:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    properties = {p.key.removeprefix("undertone."): json.loads(p.value) for p in model.metadata_props}
    test, rows = properties["self_test"], model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    features = self_test_input(test["frames"], rows)
    if "floor" in properties:
        features = raise_to_floor(features, properties["floor"])
    if properties.get("network") == "windowed":
        features = features[:, :, -properties["window"] :]
    (logits,) = session.run(["logits"], {"features": features})
    expected = np.array(test["logits"])
    difference = float((np.abs(logits[0] - expected) / np.maximum(np.abs(expected), 1)).max())
    print(f"{path}: checker passed, largest difference of a logit {difference:.2e}")
    return 0 if difference < 2e-3 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
