import { ActionIcon, Box, Group, Text, Tooltip } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconMaximize, IconMinus, IconPlus } from '@tabler/icons-react';
import { useEffect, useMemo, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { DrawnModel, DrawnNode } from './graph-of.ts';
import type { Place } from './layout.ts';

/** Size of a node and of the cell that it stands in, in units of the drawing. */
const node = { width: 190, height: 48 };
const cell = { width: 220, height: 84 };
const height = 560;

interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** A model as a graph: drag to move, buttons or Ctrl and the wheel to zoom, arrow keys from node to node. */
export function ModelGraph({
  model,
  chosen,
  choose,
}: {
  model: DrawnModel;
  chosen: string | undefined;
  choose: (id: string) => void;
}) {
  const words = useTranslations('task.model');
  const { ref: box, width } = useElementSize();
  const size = useMemo(
    () => ({ width: model.layout.columns * cell.width, height: model.layout.layers * cell.height }),
    [model],
  );
  const whole = useMemo((): View => fitted(size, width), [size, width]);
  const [moved, setMoved] = useState<View>();
  const view = moved ?? whole;
  const [from, setFrom] = useState<{ x: number; y: number }>();
  const zoom = (factor: number) => {
    const scale = Math.min(2, Math.max(0.1, view.scale * factor));
    const real = scale / view.scale;
    const middle = { x: width / 2, y: height / 2 };
    setMoved({ scale, x: middle.x - (middle.x - view.x) * real, y: middle.y - (middle.y - view.y) * real });
  };
  const drag = ({ clientX, clientY, buttons }: PointerEvent) => {
    if (!from || buttons === 0) return;
    setMoved({ ...view, x: view.x + clientX - from.x, y: view.y + clientY - from.y });
    setFrom({ x: clientX, y: clientY });
  };
  const step = ({ key }: KeyboardEvent): boolean => {
    const ahead = key === 'ArrowDown' || key === 'ArrowRight';
    if (!ahead && key !== 'ArrowUp' && key !== 'ArrowLeft') return false;
    const at = model.nodes.findIndex(({ id }) => id === chosen);
    const next = model.nodes[Math.min(model.nodes.length - 1, Math.max(0, at + (ahead ? 1 : -1)))];
    if (next) {
      choose(next.id);
      setMoved(showing(middleOf(model, next.id), view, width));
    }
    return true;
  };
  return (
    <Box pos="relative">
      <Group gap={4} pos="absolute" top={8} right={8} style={{ zIndex: 1 }}>
        {(
          [
            [
              'zoomIn',
              IconPlus,
              () => {
                zoom(1.25);
              },
            ],
            [
              'zoomOut',
              IconMinus,
              () => {
                zoom(0.8);
              },
            ],
            [
              'fit',
              IconMaximize,
              () => {
                setMoved(undefined);
              },
            ],
          ] as const
        ).map(([name, Icon, act]) => (
          <Tooltip key={name} label={words(name)}>
            <ActionIcon variant="default" aria-label={words(name)} onClick={act}>
              <Icon size={16} />
            </ActionIcon>
          </Tooltip>
        ))}
      </Group>
      <div ref={box}>
        <Wheel zoom={zoom}>
          <svg
            width={width}
            height={height}
            role="group"
            aria-label={words('graph')}
            style={{ cursor: from ? 'grabbing' : 'grab', touchAction: 'pan-y', display: 'block' }}
            onPointerDown={({ clientX, clientY }) => {
              setFrom({ x: clientX, y: clientY });
            }}
            onPointerMove={drag}
            onPointerUp={() => {
              setFrom(undefined);
            }}
            onPointerLeave={() => {
              setFrom(undefined);
            }}
            onKeyDown={(event) => {
              if (step(event)) event.preventDefault();
            }}
          >
            <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
              {model.edges.map(([source, target], edge) => (
                <path
                  key={edge}
                  d={wayBetween(
                    middleOf(model, source),
                    (model.layout.ways[edge] ?? []).map(inDrawing),
                    middleOf(model, target),
                  )}
                  fill="none"
                  stroke="var(--mantine-color-dimmed)"
                  strokeWidth={1.5}
                />
              ))}
              {model.nodes.map((each, index) => (
                <Node
                  key={each.id}
                  drawn={each}
                  at={middleOf(model, each.id)}
                  chosen={each.id === chosen}
                  reachable={each.id === chosen || (chosen === undefined && index === 0)}
                  choose={() => {
                    choose(each.id);
                  }}
                />
              ))}
            </g>
          </svg>
        </Wheel>
      </div>
      <Text size="xs" c="dimmed" mt={4}>
        {words('hint')}
      </Text>
    </Box>
  );
}

const fills = {
  input: 'var(--mantine-color-blue-light)',
  operation: 'var(--starling-surface)',
  loss: 'var(--mantine-color-orange-light)',
} as const;

function Node({
  drawn: { kind, name, shape, weights },
  at,
  chosen,
  reachable,
  choose,
}: {
  drawn: DrawnNode;
  at: { x: number; y: number };
  chosen: boolean;
  reachable: boolean;
  choose: () => void;
}) {
  const words = useTranslations('task.model');
  const below = kind === 'loss' ? words('number') : shape;
  return (
    <g
      role="button"
      tabIndex={reachable ? 0 : -1}
      ref={(element) => {
        // arrow keys move the focus with the choice
        if (chosen && element?.ownerSVGElement?.contains(document.activeElement))
          element.focus({ preventScroll: true });
      }}
      aria-pressed={chosen}
      transform={`translate(${at.x - node.width / 2} ${at.y - node.height / 2})`}
      style={{ cursor: 'pointer' }}
      onClick={choose}
      onKeyDown={({ key }) => {
        if (key === 'Enter' || key === ' ') choose();
      }}
    >
      <rect width={node.width} height={node.height} rx={8} fill="var(--starling-surface)" />
      <rect
        width={node.width}
        height={node.height}
        rx={8}
        fill={fills[kind]}
        stroke={chosen ? 'var(--mantine-primary-color-filled)' : 'var(--mantine-color-dimmed)'}
        strokeWidth={chosen ? 3 : 1}
      />
      {weights.length > 0 && (
        <rect
          x={0}
          y={10}
          width={4}
          height={node.height - 20}
          rx={2}
          fill="var(--mantine-primary-color-filled)"
        />
      )}
      <text x={14} y={20} fontSize={13} fontWeight={650} fill="var(--mantine-color-text)">
        {shortened(name, 22)}
      </text>
      <text x={14} y={37} fontSize={12} fill="var(--mantine-color-dimmed)">
        {shortened(below, 26)}
      </text>
    </g>
  );
}

/** Zooms by Ctrl and the wheel, or two fingers on a touchpad; the wheel alone still moves the page. */
function Wheel({ zoom, children }: { zoom: (factor: number) => void; children: ReactNode }) {
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  useEffect(() => {
    const turn = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault(); // not by React, whose listener may not prevent
      zoom(event.deltaY < 0 ? 1.1 : 0.9);
    };
    element?.addEventListener('wheel', turn, { passive: false });
    return () => element?.removeEventListener('wheel', turn);
  }, [element, zoom]);
  return <div ref={setElement}>{children}</div>;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function middleOf({ layout }: DrawnModel, id: string): Point {
  return inDrawing(layout.places.get(id) ?? { column: 0, layer: 0 });
}

function inDrawing({ column, layer }: Place): Point {
  return { x: column * cell.width, y: (layer + 0.5) * cell.height };
}

/** From the lower edge of a node, past the places on its way, to the upper edge of another. */
function wayBetween(source: Point, bends: readonly Point[], target: Point): string {
  const half = node.height / 2;
  const points = bends.flatMap(({ x, y }) => [
    { x, y: y - half },
    { x, y: y + half },
  ]);
  const all = [{ x: source.x, y: source.y + half }, ...points, { x: target.x, y: target.y - half }];
  const [start] = all;
  const rest = all.slice(1).map(({ x, y }, index) => {
    const before = all[index] ?? { x, y };
    const middle = (before.y + y) / 2;
    return `C ${before.x} ${middle} ${x} ${middle} ${x} ${y}`;
  });
  return `M ${start?.x ?? 0} ${start?.y ?? 0} ${rest.join(' ')}`;
}

/** All of it where that can be read, else its beginning at a size that can. */
function fitted(size: { width: number; height: number }, width: number): View {
  const all = Math.min(1, (width - 16) / size.width, (height - 16) / size.height);
  const scale = Math.max(all, Math.min(0.8, (width - 16) / size.width));
  return { scale, x: (width - size.width * scale) / 2, y: Math.max(8, (height - size.height * scale) / 2) };
}

/** The view moved so that a place is inside. */
function showing(place: { x: number; y: number }, view: View, width: number): View {
  const at = { x: view.x + place.x * view.scale, y: view.y + place.y * view.scale };
  const edge = 60;
  return {
    ...view,
    x: view.x + Math.max(0, edge - at.x) - Math.max(0, at.x - width + edge),
    y: view.y + Math.max(0, edge - at.y) - Math.max(0, at.y - height + edge),
  };
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
