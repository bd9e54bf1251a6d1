import fc from 'fast-check';

type Shape = readonly number[];

interface Draft {
  readonly params: object[];
  readonly nodes: object[];
  /** What comes out so far: its id, and its axes behind the batch. */
  readonly at: { readonly id: string; readonly shape: Shape };
}

/** An op that may be put behind a value of this shape, with a number to choose its details by; undefined where none fits. */
type Extension = (draft: Draft, choice: number) => Draft | undefined;

const size = (shape: Shape) => shape.reduce((product, length) => product * length, 1);

function parameter(draft: Draft, shape: Shape, init: object = { kind: 'normal', deviation: 0.5 }): string {
  const id = `p${draft.params.length}`;
  draft.params.push({ id, shape, init });
  return id;
}

function then(draft: Draft, op: string, others: readonly string[], shape: Shape, attrs: object = {}): Draft {
  const id = `n${draft.nodes.length}`;
  draft.nodes.push({ op, in: [draft.at.id, ...others], out: id, attrs });
  return { ...draft, at: { id, shape } };
}

const windows = (length: number, window: number, stride: number) =>
  Math.floor((length - window) / stride) + 1;

const unary: Extension = (draft, choice) => {
  const [op, attrs] = [
    ['relu'],
    ['tanh'],
    ['sigmoid'],
    ['softmax'],
    ['gelu', { variant: 'erf' }],
    ['gelu', { variant: 'tanh' }],
    ['dropout', { rate: 0.3 }],
  ][choice % 7] as [string, object?];
  return then(draft, op, [], draft.at.shape, attrs);
};

const dense: Extension = (draft, choice) => {
  const [inputs, outputs] = [draft.at.shape.at(-1)!, 1 + (choice % 5)];
  const bias = choice % 2 === 0 ? [parameter(draft, [outputs])] : [];
  const w = parameter(draft, [inputs, outputs]);
  return then(draft, 'dense', [w, ...bias], [...draft.at.shape.slice(0, -1), outputs]);
};

const convolution: Extension = (draft, choice) => {
  const { shape } = draft.at;
  const [width, stride, pad, features] = [1 + (choice % 3), 1 + (choice % 2), choice % 3, 1 + (choice % 4)];
  if (shape.length === 2) {
    const length = shape[0] + pad + 1;
    if (length < width) return undefined;
    const w = parameter(draft, [width, shape[1], features]);
    return then(
      draft,
      'conv1d',
      [w, parameter(draft, [features])],
      [windows(length, width, stride), features],
      {
        stride,
        pads: [pad, 1],
      },
    );
  }
  if (shape.length !== 3) return undefined;
  const [height, breadth] = [shape[0] + pad, shape[1] + 1];
  if (height < 2 || breadth < width) return undefined;
  const axes = [windows(height, 2, 1), windows(breadth, width, stride)];
  const attrs = { strides: [1, stride], pads: [pad, 0, 0, 1] };
  return choice % 5 === 0
    ? then(draft, 'depthwiseConv2d', [parameter(draft, [2, width, shape[2]])], [...axes, shape[2]], attrs)
    : then(draft, 'conv2d', [parameter(draft, [2, width, shape[2], features])], [...axes, features], attrs);
};

const pool: Extension = (draft, choice) => {
  const { shape } = draft.at;
  const kind = choice % 2 === 0 ? 'max' : 'avg';
  const stride = 1 + (choice % 2);
  if (shape.length === 2 && shape[0] >= 2)
    return choice % 7 === 0
      ? then(draft, kind === 'max' ? 'globalMaxPool1d' : 'globalAvgPool1d', [], [shape[1]])
      : then(draft, `${kind}Pool1d`, [], [windows(shape[0], 2, stride), shape[1]], { size: 2, stride });
  if (shape.length !== 3 || shape[0] < 2 || shape[1] < 2) return undefined;
  if (choice % 7 === 0)
    return then(draft, kind === 'max' ? 'globalMaxPool2d' : 'globalAvgPool2d', [], [shape[2]]);
  const axes = [windows(shape[0], 2, stride), windows(shape[1], 2, 1)];
  return then(draft, `${kind}Pool2d`, [], [...axes, shape[2]], { size: [2, 2], strides: [stride, 1] });
};

const norm: Extension = (draft, choice) => {
  const channels = draft.at.shape.at(-1)!;
  const scales = [parameter(draft, [channels]), parameter(draft, [channels])];
  const [op, attrs] = [
    ['batchNorm', { epsilon: 0.1 }],
    ['layerNorm', { epsilon: 0.1 }],
    ['groupNorm', { groups: channels % 2 === 0 ? 2 : 1, epsilon: 0.1 }],
  ][choice % 3] as [string, object];
  return then(draft, op, scales, draft.at.shape, attrs);
};

const sequence: Extension = (draft, choice) => {
  const { shape } = draft.at;
  if (shape.length !== 2) return undefined;
  const [steps, channels] = shape;
  const hidden = 1 + (choice % 3);
  const output = choice % 2 === 0 ? 'sequence' : 'last';
  const out = output === 'last' ? [hidden] : [steps, hidden];
  switch (choice % 3) {
    case 0: {
      const tensors = [[channels, 4 * hidden], [hidden, 4 * hidden], [4 * hidden]];
      return then(
        draft,
        'lstm',
        tensors.map((axes) => parameter(draft, axes)),
        out,
        { output },
      );
    }
    case 1: {
      const tensors = [[channels, 3 * hidden], [hidden, 3 * hidden], [3 * hidden], [3 * hidden]];
      return then(
        draft,
        'gru',
        tensors.map((axes) => parameter(draft, axes)),
        out,
        { output },
      );
    }
    default: {
      const heads = channels % 2 === 0 ? 2 : 1;
      return then(draft, 'attention', [draft.at.id, draft.at.id], shape, { heads, causal: choice % 2 === 0 });
    }
  }
};

const combine: Extension = (draft, choice) => {
  const { id, shape } = draft.at;
  switch (choice % 4) {
    case 0:
      return then(draft, 'add', [parameter(draft, shape.slice(choice % shape.length))], shape);
    case 1:
      return then(draft, 'mul', [parameter(draft, shape.slice(choice % shape.length))], shape);
    case 2:
      return then(draft, 'mul', [id], shape);
    default: {
      const axis = 1 + (choice % shape.length);
      const joined = shape.map((length, k) => (k === axis - 1 ? 2 * length : length));
      return then(draft, 'concat', [id], joined, { axis });
    }
  }
};

const place: Extension = (draft, choice) => {
  const { shape } = draft.at;
  switch (choice % 3) {
    case 0: {
      const axes = shape.map((_, k) => 1 + ((k + choice) % shape.length));
      return then(
        draft,
        'transpose',
        [],
        axes.map((axis) => shape[axis - 1]),
        { axes },
      );
    }
    case 1: {
      const axis = choice % shape.length;
      if (shape[axis] < 2) return undefined;
      const start = choice % 2;
      const cut = shape.map((length, k) => (k === axis ? length - start - (length > 2 ? 1 : 0) : length));
      return then(draft, 'slice', [], cut, { axis: axis + 1, start, end: start + cut[axis] });
    }
    default: {
      if (shape.length < 2) return then(draft, 'reshape', [], [1, ...shape], { shape: [1, ...shape] });
      const kind = ['mean', 'sum', 'max'][choice % 3];
      const axis = choice % shape.length;
      return then(
        draft,
        'reduce',
        [],
        shape.filter((_, k) => k !== axis),
        { kind, axes: [axis + 1] },
      );
    }
  }
};

const extensions = [unary, dense, convolution, pool, norm, sequence, combine, place];
/** Values of one example that a draft may grow to. */
const most = 200;

function start(kind: number): { draft: Draft; input: object } {
  const shape = [[4], [5, 3], [4, 3, 2], [4]][kind % 4];
  const draft: Draft = { params: [], nodes: [], at: { id: 'x', shape } };
  if (kind % 4 !== 3) return { draft, input: { id: 'x', shape: ['B', ...shape] } };
  const table = parameter(draft, [6, 3]);
  const input = { id: 'x', shape: ['B', ...shape], dtype: 'i32', vocabulary: 6 };
  return { draft: then(draft, 'embedding', [table], [...shape, 3]), input };
}

function finish({ draft, input }: ReturnType<typeof start>, loss: number): object {
  const outputs = 3;
  const flat = draft.at.shape.length > 1 ? then(draft, 'flatten', [], [size(draft.at.shape)]) : draft;
  const { at, params, nodes } = then(
    flat,
    'dense',
    [parameter(flat, [flat.at.shape[0], outputs])],
    [outputs],
  );
  const op = ['softmaxCrossEntropy', 'binaryCrossEntropy', 'meanSquaredError', 'huber'][loss % 4];
  const label =
    op === 'softmaxCrossEntropy'
      ? { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: outputs }
      : { id: 'y', shape: ['B', outputs], dtype: 'f32', role: 'label' };
  return {
    umir: 1,
    opset: 1,
    name: 'random',
    inputs: [input, label],
    params,
    nodes,
    loss: { op, in: [at.id, 'y'], ...(op === 'huber' && { delta: 0.7 }) },
  };
}

/** Documents of small models that are valid: chains of any ops that fit each other. */
export const randomModels: fc.Arbitrary<object> = fc
  .record({
    kind: fc.nat(3),
    loss: fc.nat(3),
    steps: fc.array(fc.tuple(fc.nat(extensions.length - 1), fc.nat(209)), { maxLength: 6 }),
  })
  .map(({ kind, loss, steps }) => {
    const begun = start(kind);
    let { draft } = begun;
    for (const [which, choice] of steps) {
      const counts = [draft.params.length, draft.nodes.length];
      const next = extensions[which](draft, choice);
      if (next && size(next.at.shape) <= most && next.at.shape.length <= 4) draft = next;
      else {
        draft.params.length = counts[0];
        draft.nodes.length = counts[1];
      }
    }
    return finish({ ...begun, draft }, loss);
  });
