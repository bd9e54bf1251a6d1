import { Button, Group, Stack, Switch, Text } from '@mantine/core';
import { useEffect, useRef, useState, type PointerEvent } from 'react';
import { useTranslations } from 'use-intl';
import { paint } from './paint.ts';
import { withStroke, type Point, type Sheet } from './stroke.ts';

/** A sheet to draw a row on, in the size that the model takes. */
export function DrawPad({ drawn, ...sheet }: Sheet & { drawn: (values: Float32Array) => void }) {
  const words = useTranslations('models.try');
  const { width, height, channels } = sheet;
  const [dark, setDark] = useState(true);
  const canvas = useRef<HTMLCanvasElement>(null);
  const values = useRef<Float32Array>(new Float32Array(0));
  const last = useRef<Point>(null);
  const pen = { radius: Math.max(0.8, width / 24), ink: dark ? 0 : 1, paper: dark ? 1 : 0 };
  useEffect(() => {
    values.current = new Float32Array(width * height * channels).fill(dark ? 1 : 0);
    if (canvas.current) paint(canvas.current, values.current, channels);
  }, [width, height, channels, dark]);
  const clear = () => {
    values.current.fill(pen.paper);
    if (canvas.current) paint(canvas.current, values.current, channels);
    drawn(values.current.slice());
  };
  const draw = ({ currentTarget, clientX, clientY }: PointerEvent<HTMLCanvasElement>) => {
    const place = currentTarget.getBoundingClientRect();
    const here = {
      x: ((clientX - place.left) / place.width) * width,
      y: ((clientY - place.top) / place.height) * height,
    };
    values.current = withStroke(values.current, sheet, last.current ?? here, here, pen);
    last.current = here;
    paint(currentTarget, values.current, channels);
  };
  return (
    <Stack gap="xs" align="flex-start">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        role="img"
        aria-label={words('pad')}
        style={{
          width: 'min(100%, 280px)',
          aspectRatio: `${width} / ${height}`,
          imageRendering: 'pixelated',
          borderRadius: 8,
          border: '1px solid var(--starling-line)',
          touchAction: 'none',
          cursor: 'crosshair',
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = null;
          draw(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) draw(event);
        }}
        onPointerUp={() => {
          drawn(values.current.slice());
        }}
      />
      <Group>
        <Button variant="default" size="xs" onClick={clear}>
          {words('clear')}
        </Button>
        <Switch
          label={words('dark')}
          checked={dark}
          onChange={(event) => {
            setDark(event.currentTarget.checked);
          }}
        />
      </Group>
      <Text size="sm" c="dimmed">
        {words('padHint')}
      </Text>
    </Stack>
  );
}
