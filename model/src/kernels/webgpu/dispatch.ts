import type { KernelCall } from '../backend.ts';
import type { Primitive } from '../../graph/primitives.ts';

/** One run of a shader: its text, the numbers of its uniform, and how many workgroups. Equal texts share a pipeline. */
export interface Dispatch {
  readonly code: string;
  readonly numbers: Uint32Array;
  readonly groups: number;
}

/** The dispatches of a call, in their order; each sees what those before it wrote. */
export type GpuKernel<Op extends Primitive> = (call: KernelCall<Op>) => readonly Dispatch[];

export type GpuKernels<Op extends Primitive> = { readonly [Each in Op]: GpuKernel<Each> };

/** Numbers that differ between calls of one shader, by their names there: u32 and f32. */
export interface Uniforms {
  readonly integers: Readonly<Record<string, number>>;
  readonly reals?: Readonly<Record<string, number>>;
}

/** Threads of a workgroup that are numbered along one axis. */
export const lanes = 64;

/**
 * Puts a shader together. It sees the whole memory as `arena` and the uniforms as members of `call`: offsets, in floats, are
 * among them, so that a shader serves every call of its kind.
 */
export function dispatch(body: string, groups: number, { integers, reals = {} }: Uniforms): Dispatch {
  const members = [
    ...Object.keys(integers).map((name) => `${name}: u32`),
    ...Object.keys(reals).map((name) => `${name}: f32`),
  ];
  const code = `struct Call { ${members.join(', ')} }
@group(0) @binding(0) var<storage, read_write> arena: array<f32>;
@group(0) @binding(1) var<uniform> call: Call;
${body}`;
  const bits = new Uint32Array(Float32Array.from(Object.values(reals)).buffer);
  return { code, numbers: Uint32Array.of(...Object.values(integers), ...bits), groups };
}

/** Sizes that a shader is compiled for, where it divides by them in its innermost loop. */
export function constants(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([name, size]) => `const ${name} = ${size}i;\n`)
    .join('');
}

/** One thread for each of `size` elements: element `i` becomes `value`, at the place `i` behind `y` unless told. */
export function eachElement(
  { offset, size }: { readonly offset: number; readonly size: number },
  { integers, reals }: Uniforms,
  value: string,
  {
    prelude = '',
    steps = '',
    place = 'call.y + i',
  }: { readonly prelude?: string; readonly steps?: string; readonly place?: string } = {},
): Dispatch {
  const body = `${prelude}
@compute @workgroup_size(${lanes})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${lanes}u;
  if (i >= call.size) { return; }
  ${steps}
  arena[${place}] = ${value};
}`;
  const own = { y: offset, size, ...integers };
  return dispatch(body, Math.ceil(size / lanes), { integers: own, ...(reals ? { reals } : {}) });
}

/**
 * One workgroup for each of `rows` rows. `steps` sees `row` and `lane`, and may call `sumOfAll` and `largestOfAll`, which
 * join a value of each lane.
 */
export function eachRow(rows: number, { integers, reals }: Uniforms, steps: string): Dispatch {
  const body = `var<workgroup> parts: array<f32, ${lanes}>;
${joining('sumOfAll', 'parts[lane] + parts[lane + half]')}
${joining('largestOfAll', 'max(parts[lane], parts[lane + half])')}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= call.rows) { return; }
  ${steps}
}`;
  return dispatch(body, rows, { integers: { rows, ...integers }, ...(reals ? { reals } : {}) });
}

function joining(name: string, joined: string): string {
  return `fn ${name}(own: f32, lane: u32) -> f32 {
  workgroupBarrier();
  parts[lane] = own;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { parts[lane] = ${joined}; }
    workgroupBarrier();
  }
  return parts[0];
}`;
}
