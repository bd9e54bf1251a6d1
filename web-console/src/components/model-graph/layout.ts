/** A directed graph without cycles: edges go from the first to the second. */
export interface Graph {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
}

export interface Layout {
  /** Middle of each node, in units of a cell: `column` may be fractional, `layer` counts from the top. */
  readonly places: ReadonlyMap<string, { readonly column: number; readonly layer: number }>;
  readonly layers: number;
  /** Width in columns. */
  readonly columns: number;
}

/** Sweeps over the layers: the order settles after few, and more change little (Sugiyama et al. 1981, section 4). */
const sweeps = 8;

/**
 * Layers from top to bottom: a node stands one below the lowest that it uses, and within its layer near what it is
 * joined to (barycentre order; Sugiyama, Tagawa and Toda 1981). Throws for a cycle.
 */
export function layered({ nodes, edges }: Graph): Layout {
  const from = new Map(nodes.map((node) => [node, [] as string[]]));
  const to = new Map(nodes.map((node) => [node, [] as string[]]));
  for (const [source, target] of edges) {
    from.get(target)?.push(source);
    to.get(source)?.push(target);
  }
  const layerOf = longestPaths(nodes, from);
  const layers: string[][] = [];
  for (const node of nodes) (layers[layerOf.get(node) ?? 0] ??= []).push(node);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    const order = down ? layers : [...layers].reverse();
    for (const layer of order) arrange(layer, down ? from : to, positions(layers));
  }
  const columns = Math.max(1, ...layers.map((layer) => layer.length));
  const places = new Map(
    layers.flatMap((layer, index) =>
      layer.map((node, at) => [node, { column: at + (columns - layer.length) / 2 + 0.5, layer: index }]),
    ),
  );
  return { places, layers: layers.length, columns };
}

/** How far below the top each node is: the longest way to it. */
function longestPaths(
  nodes: readonly string[],
  from: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const found = new Map<string, number>();
  const open = new Set<string>();
  const visit = (node: string): number => {
    const known = found.get(node);
    if (known !== undefined) return known;
    if (open.has(node)) throw new RangeError(`The graph has a cycle through ${node}.`);
    open.add(node);
    const layer = Math.max(-1, ...(from.get(node) ?? []).map(visit)) + 1;
    open.delete(node);
    found.set(node, layer);
    return layer;
  };
  nodes.forEach(visit);
  return found;
}

function positions(layers: readonly (readonly string[])[]): Map<string, number> {
  return new Map(layers.flatMap((layer) => layer.map((node, at) => [node, at - layer.length / 2])));
}

/** Sorts a layer, in place, by the mean place of each node's neighbours; one without any stays where it is. */
function arrange(
  layer: string[],
  neighbours: ReadonlyMap<string, readonly string[]>,
  at: ReadonlyMap<string, number>,
): void {
  const centre = new Map(
    layer.map((node) => {
      const near = (neighbours.get(node) ?? []).map((each) => at.get(each) ?? 0);
      const own = at.get(node) ?? 0;
      return [node, near.length === 0 ? own : near.reduce((sum, place) => sum + place, 0) / near.length];
    }),
  );
  layer.sort((a, b) => (centre.get(a) ?? 0) - (centre.get(b) ?? 0));
}
