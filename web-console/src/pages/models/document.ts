/** What the pages read of a model's IR (docs/model-ir.md); the server has checked it. */
export interface ModelDocument {
  readonly inputs: readonly {
    readonly id: string;
    readonly shape: readonly (number | 'B')[];
    readonly dtype?: 'f32' | 'i32';
    readonly role?: 'features' | 'label';
    readonly classes?: number;
    readonly vocabulary?: number;
  }[];
  readonly params: readonly {
    readonly id: string;
    readonly shape: readonly number[];
    readonly share?: 'global' | 'local';
    readonly group?: 'body' | 'head';
    readonly init: { readonly kind: string };
  }[];
  readonly nodes: readonly { readonly op: string }[];
  readonly loss: { readonly op: string };
}

export function documentOf({ ir }: { ir: unknown }): ModelDocument {
  return ir as ModelDocument; // parsed by the server when it was uploaded
}

/** What a row of a model is. */
export interface RowShape {
  readonly shape: readonly number[];
  readonly size: number;
  readonly classes: number;
  /** Of token ids: how many there are; `undefined` for features. */
  readonly vocabulary: number | undefined;
}

/** What one predicts with it: `undefined` for a model whose answer is not one class a row. */
export function rowShapeOf(document: ModelDocument): RowShape | undefined {
  const label = document.inputs.find(({ role }) => role === 'label');
  const features = document.inputs.find(({ role }) => role !== 'label');
  if (!label || !features || label.classes === undefined || label.shape.length !== 1) return undefined;
  const shape = features.shape.filter((axis) => axis !== 'B');
  return {
    shape,
    size: shape.reduce((product, axis) => product * axis, 1),
    classes: label.classes,
    vocabulary: features.vocabulary,
  };
}

/** Height, width and channels where a row can be an image: two long axes, then one channel or three, or none named. */
export function imageOf(
  shape: readonly number[],
): { height: number; width: number; channels: number } | undefined {
  const [height = 0, width = 0, channels = 1] = shape;
  const isImage = (shape.length === 2 || shape.length === 3) && Math.min(height, width) >= 12;
  return isImage && (channels === 1 || channels === 3) ? { height, width, channels } : undefined;
}
