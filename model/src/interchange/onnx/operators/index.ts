import type { Exporter } from '../node.ts';
import { attention } from './attention.ts';
import { dense, embedding } from './dense.ts';
import * as elementwise from './elementwise.ts';
import * as normalisation from './normalisation.ts';
import * as places from './places.ts';
import * as sequences from './sequences.ts';
import * as windows from './windows.ts';

/** How each op of the IR is written as ONNX. Losses end the model, and are not written. */
export const onnxOperators: ReadonlyMap<string, Exporter> = new Map(
  Object.entries({
    dense,
    embedding,
    attention,
    ...elementwise,
    ...normalisation,
    ...places,
    ...sequences,
    ...windows,
  }),
);
