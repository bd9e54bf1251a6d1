/**
 * Writes each case of onnx-cases.ts as a file NAME.onnx, and cases.json with their inputs, for onnx-golden.py. After a
 * build: `node model/src/interchange/testing/write-onnx-cases.mjs DIRECTORY`.
 */
import { writeFileSync } from 'node:fs';
import { parseModel } from '../../../dist/index.js';
import { toOnnx } from '../../../dist/interchange/index.js';
import { drawCase, onnxCases } from '../../../dist/interchange/testing/onnx-cases.js';

const [, , directory] = process.argv;
const cases = Object.entries(onnxCases).map(([name, { ir, rows }]) => {
  const model = parseModel(ir);
  const { params, x } = drawCase(model, rows);
  writeFileSync(`${directory}/${name}.onnx`, toOnnx(model, params));
  return { name, shape: [rows, ...model.inputShape], input: [...x] };
});
writeFileSync(`${directory}/cases.json`, JSON.stringify(cases));
