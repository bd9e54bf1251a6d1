import { Box, SimpleGrid, Skeleton, Text, Tooltip, type SimpleGridProps } from '@mantine/core';
import type { Operation } from '@starling/protocol/api';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { callOf } from '../api/calls.tsx';

/** What a figure is, and the call that it comes from. */
export interface About {
  readonly meaning: string;
  readonly from: Operation;
}

/** A word with what it means, and with the call that its figure comes from; on hover, focus or touch. */
export function Explained({ meaning, from, children }: About & { children: ReactNode }) {
  const words = useTranslations('shell.figure');
  return (
    <Tooltip
      multiline
      maw={320}
      label={
        <>
          {meaning}
          <br />
          <Text span size="xs" ff="monospace">
            {words('call')} {callOf(from)}
          </Text>
        </>
      }
    >
      <button type="button" className="explained" data-explains>
        {children}
      </button>
    </Tooltip>
  );
}

/** A word, with what it means where that is to be told. */
export function Named({ about, children }: { about: About | undefined; children: ReactNode }) {
  return about ? <Explained {...about}>{children}</Explained> : children;
}

interface FigureProps extends About {
  name: string;
  value: ReactNode;
  unit?: ReactNode;
  /** Without a surface of its own: inside of a panel. */
  bare?: boolean;
}

/** Figures beside each other, of one call. */
export function Figures({
  figures,
  cols = { base: 2, md: 4 },
  ...rest
}: Pick<FigureProps, 'from' | 'bare'> & {
  figures: readonly Omit<FigureProps, 'from' | 'bare'>[];
  cols?: SimpleGridProps['cols'];
}) {
  return (
    <SimpleGrid cols={cols} spacing="sm">
      {figures.map((figure) => (
        <Figure key={figure.name} {...figure} {...rest} />
      ))}
    </SimpleGrid>
  );
}

/**
 * One figure with its name; `undefined` while it is not there yet, `null` where nobody knows it. What is in an element with
 * `data-explained` is explained by the word in it with `data-explains`: a test goes through all pages.
 */
export function Figure({ name, value, unit, meaning, from, bare = false }: FigureProps) {
  const words = useTranslations('shell.figure');
  return (
    <Box className={bare ? 'figure' : 'figure surface'} p={bare ? 0 : 'md'} data-explained>
      <Text size="sm" c="dimmed" className="figure-name">
        <Explained meaning={meaning} from={from}>
          {name}
        </Explained>
      </Text>
      {value === undefined ? (
        <div className="figure-value">
          <Skeleton h="1.2em" w={72} />
        </div>
      ) : value === null ? (
        <Text c="dimmed">{words('none')}</Text>
      ) : (
        <div className="figure-value">
          <span className="figure-number">{value}</span>
          {unit !== undefined && (
            <>
              {' '}
              <Text span size="sm" c="dimmed" className="figure-unit">
                {unit}
              </Text>
            </>
          )}
        </div>
      )}
    </Box>
  );
}
