/** Numbers drawn one after another; the same seed and name give the same numbers on every machine. */
export interface RandomStream {
  /** Uniform in [0, 1), with 32 random bits. */
  uniform(): number;
  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number;
}

/**
 * An independent stream for each name under one seed. Draw n is a mix of (key, n) and of nothing before it
 * (Weyl sequence through the finaliser of MurmurHash3), so that what one person draws never moves another's numbers.
 */
export function randomStream(seed: number, name: string): RandomStream {
  let counter = keyOf(`${seed}/${name}`);
  const uniform = () => {
    counter = (counter + 0x9e3779b9) | 0;
    return mix(counter) / 2 ** 32;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** FNV-1a over UTF-16 units, mixed. */
function keyOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
