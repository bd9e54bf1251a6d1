/** A directed graph without cycles: edges go from the first to the second. */
export interface Graph {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
}

export interface Place {
  /** Middle, in columns from the left: may lie between two. */
  readonly column: number;
  /** From the top. */
  readonly layer: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  /** Places that each edge passes on its way, one in each layer between, so that it crosses no node. */
  readonly ways: readonly (readonly Place[])[];
  readonly layers: number;
  /** Width in columns. */
  readonly columns: number;
}

/** Sweeps over the layers: the order settles after few, and more change little. */
const sweeps = 8;

/**
 * Layers from top to bottom (Sugiyama, Tagawa and Toda 1981): a node stands one below the lowest that it uses, one that
 * uses nothing just above what uses it, and within its layer near what it is joined to (barycentre order). An edge over
 * several layers has a place in each of them. Throws for a cycle.
 */
export function layered({ nodes, edges }: Graph): Layout {
  const layerOf = layersOf(nodes, edges);
  const from = new Map<string, string[]>();
  const to = new Map<string, string[]>();
  const layers: string[][] = [];
  const stand = (id: string, layer: number) => {
    (layers[layer] ??= []).push(id);
    from.set(id, []);
    to.set(id, []);
  };
  for (const node of nodes) stand(node, layerOf.get(node) ?? 0);
  const bends = edges.map(([source, target], edge) => {
    const [first, last] = [layerOf.get(source) ?? 0, layerOf.get(target) ?? 0];
    const between = Array.from({ length: last - first - 1 }, (_, index) => `${edge} ${index}`);
    between.forEach((id, index) => {
      stand(id, first + 1 + index);
    });
    const chain = [source, ...between, target];
    chain.slice(1).forEach((below, index) => {
      const above = chain[index] ?? source;
      from.get(below)?.push(above);
      to.get(above)?.push(below);
    });
    return between;
  });
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      arrange(layer, down ? from : to, positions(layers));
    }
  }
  const columns = Math.max(1, ...layers.map((layer) => layer.length));
  const all = new Map<string, Place>();
  layers.forEach((layer, index) => {
    layer.forEach((id, at) => {
      all.set(id, { column: at + (columns - layer.length) / 2 + 0.5, layer: index });
    });
  });
  const placeOf = (id: string) => all.get(id) ?? { column: 0, layer: 0 };
  return {
    places: new Map(nodes.map((node) => [node, placeOf(node)])),
    ways: bends.map((between) => between.map(placeOf)),
    layers: layers.length,
    columns,
  };
}

/** How far below the top each node is: the longest way to it, or for a source, just above what uses it. */
function layersOf(nodes: readonly string[], edges: Graph['edges']): Map<string, number> {
  const from = new Map(nodes.map((node) => [node, [] as string[]]));
  const to = new Map(nodes.map((node) => [node, [] as string[]]));
  for (const [source, target] of edges) {
    from.get(target)?.push(source);
    to.get(source)?.push(target);
  }
  const found = longestPaths(nodes, from);
  for (const node of nodes) {
    const used = (to.get(node) ?? []).map((target) => found.get(target) ?? 0);
    if (from.get(node)?.length === 0 && used.length > 0) found.set(node, Math.min(...used) - 1);
  }
  return found;
}

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
