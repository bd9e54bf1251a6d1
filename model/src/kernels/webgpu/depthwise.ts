import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import type { Operand } from '../backend.ts';
import { constants, dispatch, eachElement, type GpuKernels } from './dispatch.ts';

type Op = 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';

/** Each channel by its own filter: a thread for each result, and for each value of a filter's gradient a workgroup. */
export const depthwise: GpuKernels<Op> = {
  depthwise({ inputs: [x, filter], output, attributes }) {
    const steps = `let at = i32(i) / channels;
  let c = i32(i) % channels;
  let n = at / (outWidth * outHeight);
  var sum = 0.0;
  for (var ky = 0i; ky < filterHeight; ky++) {
    let row = ((at / outWidth) % outHeight) * strideHeight + ky - padTop;
    if (row < 0 || row >= height) { continue; }
    for (var kx = 0i; kx < filterWidth; kx++) {
      let column = (at % outWidth) * strideWidth + kx - padLeft;
      if (column < 0 || column >= width) { continue; }
      sum += arena[call.a + u32(((n * height + row) * width + column) * channels + c)]
        * arena[call.b + u32((ky * filterWidth + kx) * channels + c)];
    }
  }`;
    const integers = { a: x.offset, b: filter.offset };
    const prelude = geometryOf(x, filter, output, attributes);
    return [eachElement(output, { integers }, 'sum', { prelude, steps })];
  },

  depthwiseInputGradient({ inputs: [d, filter], output, attributes }) {
    const steps = `let at = i32(i) / channels;
  let c = i32(i) % channels;
  let n = at / (width * height);
  var sum = 0.0;
  for (var ky = 0i; ky < filterHeight; ky++) {
    let down = (at / width) % height + padTop - ky;
    if (down < 0 || down % strideHeight != 0 || down / strideHeight >= outHeight) { continue; }
    for (var kx = 0i; kx < filterWidth; kx++) {
      let across = at % width + padLeft - kx;
      if (across < 0 || across % strideWidth != 0 || across / strideWidth >= outWidth) { continue; }
      let place = (n * outHeight + down / strideHeight) * outWidth + across / strideWidth;
      sum += arena[call.a + u32(place * channels + c)] * arena[call.b + u32((ky * filterWidth + kx) * channels + c)];
    }
  }`;
    const integers = { a: d.offset, b: filter.offset };
    const prelude = geometryOf(output, filter, d, attributes);
    return [eachElement(output, { integers }, 'sum', { prelude, steps })];
  },

  /** One workgroup takes a tap and 16 channels, its threads of one channel every sixteenth place. */
  depthwiseFilterGradient({ inputs: [x, d], output, attributes }) {
    const body = `${geometryOf(x, output, d, attributes)}
var<workgroup> strands: array<array<f32, 16>, 16>;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let tile = i32(group.x + group.y * groups.x);
  let tap = tile / ((channels + 15) / 16);
  if (tap >= filterHeight * filterWidth) { return; }
  let c = (tile % ((channels + 15) / 16)) * 16 + i32(id.x);
  var own = 0.0;
  if (c < channels) {
    for (var at = i32(id.y); at < i32(call.places); at += 16) {
      let row = ((at / outWidth) % outHeight) * strideHeight + tap / filterWidth - padTop;
      let column = (at % outWidth) * strideWidth + tap % filterWidth - padLeft;
      if (row < 0 || row >= height || column < 0 || column >= width) { continue; }
      let n = at / (outWidth * outHeight);
      own += arena[call.a + u32(((n * height + row) * width + column) * channels + c)] * arena[call.b + u32(at * channels + c)];
    }
  }
  strands[id.y][id.x] = own;
  workgroupBarrier();
  if (id.y == 0u && c < channels) {
    var sum = 0.0;
    for (var k = 0u; k < 16u; k++) { sum += strands[k][id.x]; }
    arena[call.y + u32(tap * channels + c)] = sum;
  }
}`;
    const [filterHeight, filterWidth, channels] = output.shape;
    const integers = { a: x.offset, b: d.offset, y: output.offset, places: d.size / channels };
    return [dispatch(body, filterHeight * filterWidth * Math.ceil(channels / 16), { integers })];
  },
};

function geometryOf(image: Operand, filter: Operand, out: Operand, geometry: ConvolutionGeometry): string {
  const [, height, width, channels] = image.shape;
  const [filterHeight, filterWidth] = filter.shape;
  const [, outHeight, outWidth] = out.shape;
  const { strideHeight, strideWidth, padTop, padLeft } = geometry;
  const sizes = { height, width, channels, filterHeight, filterWidth, outHeight, outWidth };
  return constants({ ...sizes, strideHeight, strideWidth, padTop, padLeft });
}
