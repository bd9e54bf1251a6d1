import { useTranslations } from 'use-intl';
import { useEffect, useRef } from 'react';
import { lineColour } from '../../../components/chart/colours.ts';
import { imageOf } from '../../models/document.ts';
import { paint } from './paint.ts';

const width = 400;
const height = 120;
/** Channels that are drawn of a window with many. */
const mostChannels = 6;

/** A row as it looks: an image, or a line for each channel. */
export function RowPreview({ values, shape }: { values: Float32Array; shape: readonly number[] }) {
  const words = useTranslations('models.try');
  const image = imageOf(shape);
  if (image) return <Picture values={values} {...image} name={words('preview')} />;
  const channels = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const least = values.reduce((low, value) => Math.min(low, value), Infinity);
  const most = values.reduce((high, value) => Math.max(high, value), -Infinity);
  const y = (value: number) => height - 6 - ((value - least) / (most - least || 1)) * (height - 12);
  const rows = values.length / channels;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width="100%" role="img" aria-label={words('preview')}>
      {Array.from({ length: Math.min(mostChannels, channels) }, (_, channel) => (
        <polyline
          key={channel}
          fill="none"
          stroke={lineColour(channel)}
          strokeWidth={1.5}
          points={Array.from(
            { length: rows },
            (_row, at) =>
              `${((width * at) / Math.max(1, rows - 1)).toFixed(1)},${y(values[at * channels + channel] ?? 0).toFixed(1)}`,
          ).join(' ')}
        />
      ))}
    </svg>
  );
}

function Picture({
  values,
  height: rows,
  width: columns,
  channels,
  name,
}: {
  values: Float32Array;
  height: number;
  width: number;
  channels: number;
  name: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, values, channels);
  }, [values, channels, rows, columns]);
  return (
    <canvas
      ref={canvas}
      width={columns}
      height={rows}
      role="img"
      aria-label={name}
      style={{
        width: 224,
        aspectRatio: `${columns} / ${rows}`,
        imageRendering: 'pixelated',
        borderRadius: 8,
      }}
    />
  );
}
