"""Runs the files of write-onnx-cases.mjs with ONNX Runtime and prints onnx-golden.ts.

    node model/src/interchange/testing/write-onnx-cases.mjs /tmp/cases
    python model/src/interchange/testing/onnx-golden.py /tmp/cases > model/src/interchange/testing/onnx-golden.ts
    npx prettier --write model/src/interchange/testing/onnx-golden.ts

Needs numpy, onnx and onnxruntime. Each file is checked by onnx.checker, with inference of shapes, first.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

DTYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32}


def run(directory: pathlib.Path, case: dict) -> dict:
    content = (directory / f"{case['name']}.onnx").read_bytes()
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (feed,) = session.get_inputs()
    value = np.array(case["input"], DTYPES[feed.type]).reshape(case["shape"])
    (output,) = session.run(None, {feed.name: value})
    return {
        "digest": fnv1a64(content),
        "output": [float(f"{v:.8g}") for v in output.ravel()],
    }


def fnv1a64(content: bytes) -> str:
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def main() -> None:
    directory = pathlib.Path(sys.argv[1])
    cases = json.loads((directory / "cases.json").read_text())
    golden = {case["name"]: run(directory, case) for case in cases}
    print(f"/** What ONNX Runtime {onnxruntime.__version__} makes of each file, known by its FNV-1a digest; by onnx-golden.py. */")
    print("export const onnxGolden: Readonly<Record<string, { digest: string; output: readonly number[] }>> =")
    print(json.dumps(golden, indent=2) + ";")


if __name__ == "__main__":
    main()
