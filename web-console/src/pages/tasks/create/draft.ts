import { startingPlan, type Algorithm, algorithms } from '../../../components/plan/settings.ts';
import { isObject, valueAt, type Json, type JsonObject } from '../../../components/plan/document.ts';

/** A task that is being written: the document, the text that shows it, and what keeps the text from being read. */
export interface Draft {
  readonly document: JsonObject;
  readonly text: string;
  readonly fault: string | undefined;
}

/** The draft of a document: its text is written anew. */
export function draftOf(document: JsonObject): Draft {
  return { document, text: JSON.stringify(document, null, 2), fault: undefined };
}

/** The draft after its text was written: the document follows as soon as the text is one. */
export function withText(draft: Draft, text: string): Draft {
  try {
    const json = JSON.parse(text) as Json; // what JSON.parse gives
    if (isObject(json)) return { document: json, text, fault: undefined };
    return { ...draft, text, fault: 'not an object' };
  } catch (error) {
    return { ...draft, text, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** The plan inside; an empty one where there is none. */
export function planIn({ document }: Draft): JsonObject {
  return isObject(document['plan']) ? document['plan'] : {};
}

/** A plan that suits a model: what its author recommends (`meta`, `optimiser`), else federated averaging. */
export function planFor(ir: unknown): JsonObject {
  const model = isObject(ir as Json) ? (ir as JsonObject) : {}; // parsed JSON
  const wanted = valueAt(model, 'meta.algorithm');
  const algorithm: Algorithm = algorithms.find((each) => each === wanted) ?? 'fedavg';
  const inner = valueAt(model, 'meta.innerRate');
  const rate =
    algorithm === 'fedavg' ? valueAt(model, 'optimiser.rate') : isObject(inner) ? inner['learned'] : inner;
  const nodes = model['nodes']; // an array of JSON is one of any to Array.isArray
  const statistics =
    Array.isArray(nodes) &&
    (nodes as readonly Json[]).some((node) => isObject(node) && node['op'] === 'standardise');
  return startingPlan(algorithm, { ...(typeof rate === 'number' && { rate }), statistics });
}
