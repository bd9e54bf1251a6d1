import { Bars } from './bars.tsx';
import type { About } from './figure.tsx';

/** How often something was lost for each reason, the most frequent first. */
export function ReasonBars({
  counts,
  nameOf,
  title,
  empty,
}: {
  counts: readonly (readonly [reason: string, count: number])[];
  /** A reason in the language of the page. */
  nameOf: (reason: string) => string;
  title: About & { readonly name: string };
  /** What stands there when nothing was lost. */
  empty?: string;
}) {
  const bars = counts
    .toSorted(([, one], [, other]) => other - one)
    .map(([reason, value]) => ({
      key: reason,
      name: nameOf(reason),
      value,
      colour: 'var(--mantine-color-orange-6)',
    }));
  return <Bars title={title} bars={bars} {...(empty !== undefined && { empty })} />;
}
