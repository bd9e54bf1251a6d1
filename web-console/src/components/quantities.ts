import { useFormatter } from 'use-intl';

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Quantities as people read them, in the language of the page. */
export function useQuantities() {
  const format = useFormatter();
  return {
    count: (value: number) => format.number(value),
    /** A share of 0 to 1. */
    percent: (share: number) => format.number(share, { style: 'percent', maximumFractionDigits: 1 }),
    /** In units of 1000 (SI). */
    bytes: (bytes: number) => {
      const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
      // the short name of a byte is the word in English, beside the signs of its multiples
      if (power === 0) return `${format.number(bytes, { maximumFractionDigits: 0 })} B`;
      return format.number(bytes / 1000 ** power, {
        style: 'unit',
        unit: byteUnits[power] ?? 'byte',
        unitDisplay: 'short',
        maximumFractionDigits: 1,
      });
    },
    duration: (ms: number) => {
      const [value, unit] =
        ms < 1000
          ? ([ms, 'millisecond'] as const)
          : ms < 120_000
            ? ([ms / 1000, 'second'] as const)
            : ms < 7_200_000
              ? ([ms / 60_000, 'minute'] as const)
              : ms < 172_800_000
                ? ([ms / 3_600_000, 'hour'] as const)
                : ([ms / 86_400_000, 'day'] as const);
      return format.number(value, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: value < 10 && unit !== 'millisecond' ? 1 : 0,
      });
    },
  };
}
