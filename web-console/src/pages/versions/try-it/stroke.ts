/** An image that is drawn on: `height` rows of `width` values, all channels alike. */
export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** A point on the sheet, in pixels from its left upper corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The image with a stroke from one point to another: a line with round ends whose edge fades over a pixel. `ink` is the
 * value of the line; where several strokes meet, the strongest holds.
 */
export function withStroke(
  values: Float32Array,
  { width, height, channels }: Sheet,
  from: Point,
  to: Point,
  { radius, ink, paper }: { radius: number; ink: number; paper: number },
): Float32Array {
  const drawn = values.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - distance({ x: x + 0.5, y: y + 0.5 }, from, to)));
      if (cover === 0) continue;
      for (let channel = 0; channel < channels; channel++) {
        const at = (y * width + x) * channels + channel;
        const before = ((drawn[at] ?? paper) - paper) / (ink - paper);
        drawn[at] = paper + Math.max(before, cover) * (ink - paper);
      }
    }
  }
  return drawn;
}

/** From a point to the nearest of a line's. */
function distance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - from.x - part * dx, point.y - from.y - part * dy);
}
