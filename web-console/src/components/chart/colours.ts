/** Colours of lines that hold apart on both schemes, also for those who see fewer (Okabe and Ito, 2008, darkened). */
const lineColours = [
  '#0d8f74',
  '#4f6bed',
  '#d9730d',
  '#b0479a',
  '#2a9fd0',
  '#a08600',
  '#c7373a',
  '#7a7f8c',
] as const;

export function lineColour(index: number): string {
  return lineColours[index % lineColours.length] ?? lineColours[0];
}
