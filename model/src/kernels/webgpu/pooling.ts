import type { PoolGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import { constants, dispatch, eachElement, type GpuKernels } from './dispatch.ts';

type Op = 'maxPoolIndex' | 'gather' | 'scatter' | 'averagePool' | 'averagePoolGradient';

export const pooling: GpuKernels<Op> = {
  maxPoolIndex({ inputs: [x], output, attributes }) {
    const steps = `${window}
  var best = corner;
  var largest = arena[example + u32(corner)];
  for (var h = 0i; h < height; h++) {
    for (var w = 0i; w < width; w++) {
      let at = corner + (h * imageWidth + w) * channels;
      let value = arena[example + u32(at)];
      if (value > largest) {
        largest = value;
        best = at;
      }
    }
  }`;
    const prelude = geometryOf(x, output, attributes);
    return [eachElement(output, { integers: { a: x.offset } }, 'f32(best)', { prelude, steps })];
  },

  gather({ inputs: [x, index], output }) {
    const batch = x.shape[0];
    const integers = {
      a: x.offset,
      index: index.offset,
      many: index.size / batch,
      example: x.size / batch,
    };
    const value = 'arena[call.a + (i / call.many) * call.example + u32(arena[call.index + i])]';
    return [eachElement(output, { integers }, value)];
  },

  /**
   * No atomics on floats: one workgroup takes an example, and each of its threads those places whose number leaves its own as
   * remainder. All go through the indices together, so that sums have one order.
   */
  scatter({ inputs: [d, index], output }) {
    const body = `var<workgroup> places: array<u32, 256>;
var<workgroup> values: array<f32, 256>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x + group.y * groups.x;
  if (n >= call.batch) { return; }
  let example = call.y + n * call.example;
  for (var i = lane; i < call.example; i += 256u) { arena[example + i] = 0.0; }
  for (var first = 0u; first < call.many; first += 256u) {
    let i = n * call.many + first + lane;
    if (first + lane < call.many) {
      places[lane] = u32(arena[call.index + i]);
      values[lane] = arena[call.d + i];
    }
    workgroupBarrier();
    let count = min(256u, call.many - first);
    for (var k = 0u; k < count; k++) {
      if (places[k] % 256u == lane) { arena[example + places[k]] += values[k]; }
    }
    workgroupBarrier();
  }
}`;
    const batch = output.shape[0];
    const integers = {
      d: d.offset,
      index: index.offset,
      y: output.offset,
      batch,
      many: index.size / batch,
      example: output.size / batch,
    };
    return [dispatch(body, batch, { integers })];
  },

  averagePool({ inputs: [x], output, attributes }) {
    const steps = `${window}
  var sum = 0.0;
  for (var h = 0i; h < height; h++) {
    for (var w = 0i; w < width; w++) { sum += arena[example + u32(corner + (h * imageWidth + w) * channels)]; }
  }`;
    const prelude = geometryOf(x, output, attributes);
    const integers = { a: x.offset };
    return [eachElement(output, { integers }, 'sum / f32(height * width)', { prelude, steps })];
  },

  /** A thread for each value of the image: it goes through the windows that hold it. */
  averagePoolGradient({ inputs: [d], output, attributes }) {
    const steps = `let at = i32(i) / channels;
  let row = (at / imageWidth) % imageHeight;
  let column = at % imageWidth;
  let n = at / (imageWidth * imageHeight);
  let top = select(0, (row - height) / strideHeight + 1, row >= height);
  let left = select(0, (column - width) / strideWidth + 1, column >= width);
  let bottom = min(row / strideHeight, outHeight - 1);
  let right = min(column / strideWidth, outWidth - 1);
  var sum = 0.0;
  for (var y = top; y <= bottom; y++) {
    for (var x = left; x <= right; x++) {
      sum += arena[call.a + u32(((n * outHeight + y) * outWidth + x) * channels + i32(i) % channels)];
    }
  }`;
    const prelude = geometryOf(output, d, attributes);
    const integers = { a: d.offset };
    return [eachElement(output, { integers }, 'sum / f32(height * width)', { prelude, steps })];
  },
};

/** The example of result `i`, and where its window starts in it. */
const window = `let at = i32(i) / channels;
  let y = (at / outWidth) % outHeight;
  let x = at % outWidth;
  let corner = (y * strideHeight * imageWidth + x * strideWidth) * channels + i32(i) % channels;
  let example = call.a + u32((at / (outWidth * outHeight)) * imageHeight * imageWidth * channels);`;

function geometryOf(image: Operand, pooled: Operand, geometry: PoolGeometry): string {
  const [, imageHeight, imageWidth, channels] = image.shape;
  const [, outHeight, outWidth] = pooled.shape;
  const { height, width, strideHeight, strideWidth } = geometry;
  return constants({
    imageHeight,
    imageWidth,
    channels,
    outHeight,
    outWidth,
    height,
    width,
    strideHeight,
    strideWidth,
  });
}
