/** Secrets rebuilt from shares, checked against what their owners fixed, and the masks that follow from them. */
import type { CryptoProvider } from '../crypto/provider.ts';
import { pointOf, type Graph } from '../groups/graph.ts';
import { combine } from '../shamir/index.ts';
import { sameBytes } from './bytes.ts';
import type { MaskTerm } from './masking.ts';
import { secretKind, type SecretKind } from './messages.ts';
import type { ServerUnmasking } from './server-state.ts';
import { pairMaskKey, selfMaskCommitment, selfMaskKey, type Binding } from './transcript.ts';

/** u = 9 (RFC 7748, section 4.1). */
const basePoint = Uint8Array.of(9, ...new Uint8Array(31));

/** A secret that must be known before the sum can be. */
export interface Wanted {
  readonly owner: number;
  readonly kind: SecretKind;
}

/** The self-mask of each survivor, and the mask key of each that shared, dropped out, and left masks on survivors. */
export function wantedSecrets(
  graph: Graph,
  survivors: readonly boolean[],
  shared: (member: number) => boolean,
): Wanted[] {
  return graph.flatMap((neighbours, owner): Wanted[] => {
    if (survivors[owner]) return [{ owner, kind: secretKind.selfMask }];
    const left = shared(owner) && neighbours.some((neighbour) => survivors[neighbour]);
    return left ? [{ owner, kind: secretKind.maskKey }] : [];
  });
}

/**
 * The masks in the sum, each with the sign that takes it away; undefined while a secret has fewer shares than the
 * threshold, or none of the choices tried gives the secret that its owner fixed.
 */
export async function masksInSum(
  state: ServerUnmasking,
  binding: Binding,
  crypto: CryptoProvider,
): Promise<MaskTerm[] | undefined> {
  const { entries, survivors, unmasks, selfCommitments, context, graph, threshold } = state;
  const wanted = wantedSecrets(graph, survivors, (member) => selfCommitments[member] !== null);
  const enough = wanted.every(
    ({ owner }) => graph[owner]!.filter((holder) => unmasks[holder] !== null).length >= threshold,
  );
  if (!enough) return undefined;
  const sharesOf = new Map<number, { point: number; value: Uint8Array }[]>(
    wanted.map(({ owner }) => [owner, []]),
  );
  for (const unmask of unmasks) {
    for (const { owner, share } of unmask?.shares ?? []) {
      const point = pointOf(graph, owner, unmask!.from)!; // only neighbours' shares were accepted
      sharesOf.get(owner)?.push({ point, value: share });
    }
  }
  const work: MaskTerm[] = [];
  for (const { owner, kind } of wanted) {
    const { identity, maskKey } = entries[owner]!;
    const fixed = kind === secretKind.selfMask ? selfCommitments[owner]! : maskKey;
    const secret = await rebuilt(sharesOf.get(owner)!, threshold, async (candidate) => {
      const made =
        kind === secretKind.selfMask
          ? await selfMaskCommitment(candidate, context, identity, crypto)
          : await crypto.sharedSecret(candidate, basePoint);
      return sameBytes(made, fixed);
    });
    if (secret === undefined) return undefined;
    if (kind === secretKind.selfMask) {
      work.push({ key: await selfMaskKey(secret, binding, identity, crypto), sign: -1 });
      continue;
    }
    const pairs = graph[owner]!.filter((neighbour) => survivors[neighbour]).map(
      async (neighbour): Promise<MaskTerm> => {
        const other = entries[neighbour]!;
        const agreed = await crypto.sharedSecret(secret, other.maskKey);
        // The neighbour added the mask where it stands first, and took it away where it does not.
        return neighbour < owner
          ? { key: await pairMaskKey(agreed, binding, other.identity, identity, crypto), sign: -1 }
          : { key: await pairMaskKey(agreed, binding, identity, other.identity, crypto), sign: 1 };
      },
    );
    work.push(...(await Promise.all(pairs)));
  }
  return work;
}

/**
 * The secret, from some `threshold` shares in a row (around the end): with one share more than needed, one wrong share
 * does no harm; with more to spare, several may not.
 */
async function rebuilt(
  shares: readonly { readonly point: number; readonly value: Uint8Array }[],
  threshold: number,
  isRight: (secret: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array | undefined> {
  const choices = shares.length === threshold ? 1 : shares.length;
  for (let first = 0; first < choices; first++) {
    const secret = combine([...shares.slice(first), ...shares.slice(0, first)], threshold);
    if (await isRight(secret)) return secret;
  }
  return undefined;
}
