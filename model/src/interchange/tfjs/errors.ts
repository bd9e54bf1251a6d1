/** A layers model that cannot be read. `layer` is the name of the layer at fault, undefined for the whole document. */
export class TfjsImportError extends Error {
  override readonly name = 'TfjsImportError';
  readonly code = 'tfjs-not-importable';
  readonly layer: string | undefined;

  constructor(message: string, layer?: string) {
    super(layer === undefined ? message : `Layer "${layer}": ${message}`);
    this.layer = layer;
  }
}
