/** The parts of the page of access, as they stand in its address. */
export const accessParts = ['keys', 'tokens', 'members'] as const;
export type AccessPart = (typeof accessParts)[number];

export function accessSearch({ tab }: Record<string, unknown>): { tab?: AccessPart | undefined } {
  const known = accessParts.find((part) => part === tab);
  return known === undefined ? {} : { tab: known };
}
