/** Who is whose neighbour: the graph of a group, the same on every device. */
import type { Masks } from '../masks/masks.ts';
import { KeyStream } from './stream.ts';

/** Neighbours of each member, ascending. */
export type Graph = readonly (readonly number[])[];

/** Edge switches tried, per edge. */
const switchesPerEdge = 20;

/** Everyone is everyone's neighbour. */
export function completeGraph(size: number): Graph {
  return Array.from({ length: size }, (_, member) =>
    Array.from({ length: size - 1 }, (__, at) => (at < member ? at : at + 1)),
  );
}

/**
 * A random graph in which each of `size` members has `degree` neighbours, from a 32-byte seed; complete where the
 * degree is size - 1, else the degree is even.
 *
 * A ring in which each knows the degree / 2 next on both sides is walked through the regular graphs by random edge
 * switches, and then its members are named by a random permutation. The permutation alone makes the neighbours of each
 * member a uniform draw, which is what the bounds of `degreeFor` count; the switches take away the ring, along which
 * few members could be cut off by those between them. The stream of draws is ChaCha20 keyed by the seed.
 */
export function randomGraph(
  size: number,
  degree: number,
  seed: Uint8Array,
  masks: Pick<Masks, 'add32'>,
): Graph {
  if (degree === size - 1) return completeGraph(size);
  if (!(degree >= 2 && degree < size - 1 && degree % 2 === 0)) {
    throw new RangeError(`No regular graph of ${size} members and even degree ${degree} is made here.`);
  }
  const stream = new KeyStream(masks, seed);
  const edges = size * (degree / 2);
  const left = new Uint32Array(edges);
  const right = new Uint32Array(edges);
  const adjacent = new Adjacency(size);
  for (let member = 0, edge = 0; member < size; member++) {
    for (let step = 1; step <= degree / 2; step++, edge++) {
      left[edge] = member;
      right[edge] = (member + step) % size;
      adjacent.toggle(member, right[edge]!);
    }
  }
  for (let tried = 0; tried < switchesPerEdge * edges; tried++) {
    const first = stream.below(edges);
    const draw = stream.below(2 * edges);
    const second = draw >>> 1;
    if (first === second) continue;
    // (a, b), (c, d) become (a, d), (c, b): the second edge is read in either direction.
    const isTurned = (draw & 1) === 1;
    const a = left[first]!;
    const b = right[first]!;
    const c = isTurned ? right[second]! : left[second]!;
    const d = isTurned ? left[second]! : right[second]!;
    if (a === d || b === c || adjacent.has(a, d) || adjacent.has(c, b)) continue;
    adjacent.toggle(a, b);
    adjacent.toggle(c, d);
    adjacent.toggle(a, d);
    adjacent.toggle(c, b);
    right[first] = d;
    left[second] = c;
    right[second] = b;
  }
  // Fisher and Yates: position p of the walked graph is member name[p].
  const name = Array.from({ length: size }, (_, at) => at);
  for (let at = size - 1; at > 0; at--) {
    const other = stream.below(at + 1);
    [name[at], name[other]] = [name[other]!, name[at]!];
  }
  const neighbours: number[][] = Array.from({ length: size }, () => []);
  for (let edge = 0; edge < edges; edge++) {
    const [a, b] = [name[left[edge]!]!, name[right[edge]!]!];
    neighbours[a]!.push(b);
    neighbours[b]!.push(a);
  }
  for (const list of neighbours) list.sort((a, b) => a - b);
  return neighbours;
}

/** Whether all members for which `isIn` holds reach each other through such members. True of none and of one. */
export function isConnected(graph: Graph, isIn: (member: number) => boolean): boolean {
  const start = graph.findIndex((_, member) => isIn(member));
  if (start === -1) return true;
  const reached = new Set([start]);
  for (const member of reached) {
    for (const neighbour of graph[member]!) if (isIn(neighbour)) reached.add(neighbour);
  }
  return graph.every((_, member) => !isIn(member) || reached.has(member));
}

/** The point 1..254 on which `holder` has its share of the secrets of `owner`; undefined where they are no neighbours. */
export function pointOf(graph: Graph, owner: number, holder: number): number | undefined {
  const at = graph[owner]!.indexOf(holder);
  return at === -1 ? undefined : at + 1;
}

/** A symmetric relation as one bit a pair. */
class Adjacency {
  readonly #size: number;
  readonly #bits: Uint32Array;

  constructor(size: number) {
    this.#size = size;
    this.#bits = new Uint32Array(Math.ceil((size * size) / 32));
  }

  has(a: number, b: number): boolean {
    const at = a * this.#size + b;
    return ((this.#bits[at >>> 5]! >>> (at & 31)) & 1) === 1;
  }

  toggle(a: number, b: number): void {
    this.#flip(a * this.#size + b);
    this.#flip(b * this.#size + a);
  }

  /** Below 2^32: a group has at most 65,535 members. */
  #flip(at: number): void {
    this.#bits[at >>> 5]! ^= 1 << (at & 31);
  }
}
