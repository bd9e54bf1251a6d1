/** Paints an image of a canvas's own size: 0 is black and 1 white; values beyond are cut. */
export function paint(canvas: HTMLCanvasElement, values: Float32Array, channels: number): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(canvas.width, canvas.height);
  for (let pixel = 0; pixel < canvas.width * canvas.height; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      const value = values[pixel * channels + (channels === 3 ? colour : 0)] ?? 0;
      image.data[4 * pixel + colour] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
