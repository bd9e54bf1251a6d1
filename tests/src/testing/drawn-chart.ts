import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

/** The numbers of a chart; `null` is a gap. */
export interface ChartTable {
  /** The name of the axis, then one for each line. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly (number | null)[])[];
}

/** The file that a chart of the console saves when one asks for it. */
export async function savedBy(
  panel: Locator,
  format: 'CSV' | 'PNG',
): Promise<{ name: string; bytes: Buffer }> {
  const page = panel.page();
  await panel.getByRole('button', { name: 'Save' }).click();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: format }).click(),
  ]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/** The numbers of a chart, from what it saves as CSV (RFC 4180). */
export async function numbersOf(panel: Locator): Promise<ChartTable> {
  const text = (await savedBy(panel, 'CSV')).bytes.toString();
  if (!text.endsWith('\r\n')) throw new Error(`The last line does not end: ${text.slice(-40)}`);
  const [head = '', ...lines] = text.slice(0, -2).split('\r\n');
  return {
    head: [...head.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = '']) => name.replaceAll('""', '"')),
    rows: lines.map((line) => line.split(',').map((cell) => (cell === '' ? null : Number(cell)))),
  };
}

/**
 * Where a chart draws its lines: it marks them below the pointer, which goes along its axis from 0 (left end) to 1. Pixels from the top
 * of the window, to the middle of the mark of each line.
 */
export async function marksAt(panel: Locator, along: number): Promise<number[]> {
  const over = panel.locator('.u-over');
  const box = await over.boundingBox();
  if (!box) throw new Error('The chart is not drawn.');
  await over.hover({ position: { x: along * (box.width - 1), y: box.height / 2 } });
  return over.locator('.u-cursor-pt').evaluateAll((marks) =>
    marks.map((mark) => {
      const { top, bottom } = mark.getBoundingClientRect();
      return (top + bottom) / 2;
    }),
  );
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly colours: number;
  /** Whether nothing shines through it. */
  readonly opaque: boolean;
  /** For each colour that was asked for: how many pixels are near it in the plot, and below. */
  readonly near: readonly { readonly plot: number; readonly below: number }[];
}

/** Decodes a picture of a chart in the browser, whose plot is `plotHeight` pixels high; `wanted` are colours as #rrggbb. */
export function pictureIn(
  page: Page,
  png: Buffer,
  plotHeight: number,
  wanted: readonly string[],
): Promise<Picture> {
  return page.evaluate(
    async ({ base64, plotEnd, sought }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const { width, height } = image;
      const context = new OffscreenCanvas(width, height).getContext('2d');
      if (!context) throw new Error('The browser draws no pictures.');
      context.drawImage(image, 0, 0);
      const pixels = context.getImageData(0, 0, width, height).data;
      const parts = sought.map((colour) =>
        [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)),
      );
      const near = sought.map(() => ({ plot: 0, below: 0 }));
      const colours = new Set<number>();
      let opaque = true;
      for (let at = 0; at < pixels.length; at += 4) {
        const [red = 0, green = 0, blue = 0, opacity = 0] = pixels.subarray(at, at + 4);
        colours.add((red * 256 + green) * 256 + blue);
        opaque &&= opacity === 255;
        for (const [index, colour] of parts.entries()) {
          const isNear = [red, green, blue].every((value, part) => Math.abs(value - colour[part]!) <= 12);
          if (isNear) near[index]![at / 4 < plotEnd * width ? 'plot' : 'below']++;
        }
      }
      return { width, height, colours: colours.size, opaque, near };
    },
    { base64: png.toString('base64'), plotEnd: plotHeight, sought: wanted },
  );
}
