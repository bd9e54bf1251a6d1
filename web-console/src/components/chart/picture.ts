import type { Series } from './series.ts';

/** Colours of a picture of a chart, and its letters, as CSS. */
export interface Ink {
  readonly ground: string;
  readonly text: string;
  readonly font: string;
}

const rowHeight = 20;
const margin = 12;
/** The stroke before a name, and the room that the two leave to the next. */
const stroke = { length: 20, gap: 6 };
const between = 18;

/** The canvas of a chart on a ground, with its lines' names below: what is saved says by itself what it shows. */
export function pictureOf(
  drawn: HTMLCanvasElement,
  series: readonly Series[],
  { ground, text, font }: Ink,
): HTMLCanvasElement {
  const picture = document.createElement('canvas');
  const context = picture.getContext('2d');
  if (!context) throw new TypeError('The browser gives no canvas to draw on.');
  context.font = font;
  const widths = series.map(
    ({ name }) => stroke.length + stroke.gap + context.measureText(name).width + between,
  );
  const scale = devicePixelRatio;
  const places = flowed(widths, drawn.width / scale - 2 * margin);
  const rows = 1 + Math.max(0, ...places.map(({ row }) => row));
  picture.width = drawn.width;
  picture.height = drawn.height + Math.ceil((rows * rowHeight + margin) * scale);
  context.fillStyle = ground;
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(drawn, 0, 0);
  context.scale(scale, scale);
  context.font = font; // a new size takes it away
  context.textBaseline = 'middle';
  context.fillStyle = text;
  context.lineWidth = 2;
  for (const [index, { name, colour, dashed }] of series.entries()) {
    const { x = 0, row = 0 } = places[index] ?? {};
    const left = margin + x;
    const y = drawn.height / scale + (row + 0.5) * rowHeight;
    context.strokeStyle = colour;
    context.setLineDash(dashed ? [6, 4] : []);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + stroke.length, y);
    context.stroke();
    context.fillText(name, left + stroke.length + stroke.gap, y);
  }
  return picture;
}

/** Where things of these widths stand one after the other in rows of this room; one that is wider has a row of its own. */
export function flowed(widths: readonly number[], room: number): { x: number; row: number }[] {
  let x = 0;
  let row = 0;
  return widths.map((width) => {
    if (x > 0 && x + width > room) {
      x = 0;
      row++;
    }
    const place = { x, row };
    x += width;
    return place;
  });
}
