/** Parts of the page of a version. */
export const versionTabs = ['overview', 'lineage', 'compare', 'try'] as const;
export type VersionTab = (typeof versionTabs)[number];

export interface VersionSearch {
  readonly tab?: VersionTab;
  /** The version that it is compared with. */
  readonly with?: string;
}

/** What of an address the page of a version takes: the rest is left away. */
export function versionSearch(search: Record<string, unknown>): VersionSearch {
  const tab = versionTabs.find((each) => each === search['tab']);
  const other = search['with'];
  return {
    ...(tab && { tab }),
    ...(typeof other === 'string' && other.startsWith('ver_') && { with: other }),
  };
}
