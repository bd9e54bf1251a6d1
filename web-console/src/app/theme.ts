import {
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

/** The green of a starling's neck, from light to dark. */
const iris: MantineColorsTuple = [
  '#e6faf5',
  '#cdf1e8',
  '#9ce3d1',
  '#67d3b8',
  '#3cc6a3',
  '#22bd95',
  '#0fa984',
  '#06866a',
  '#006b56',
  '#004d3e',
];

/** Greys of the dark scheme with a breath of that green, from text to the deepest ground. */
const dark: MantineColorsTuple = [
  '#c9d1d0',
  '#b4bebd',
  '#7d8a88',
  '#647170',
  '#3d4847',
  '#354140',
  '#273130',
  '#1e2726',
  '#18201f',
  '#101615',
];

export const theme = createTheme({
  colors: { iris, dark },
  primaryColor: 'iris',
  primaryShade: { light: 8, dark: 4 },
  // filled is dark in the light scheme and light in the dark one, of whatever colour: what is written on it follows the scheme
  variantColorResolver: (input) => ({
    ...defaultVariantColorsResolver(input),
    ...(input.variant === 'filled' && { color: 'var(--starling-on-filled)' }),
  }),
  components: {
    Checkbox: { defaultProps: { iconColor: 'var(--starling-on-filled)' } },
    Tooltip: { defaultProps: { events: { hover: true, focus: true, touch: true } } }, // for who has no mouse, too
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } },
  },
  respectReducedMotion: true,
});

/** Surfaces, dimmed text and the text of badges; it keeps a contrast of 4.5 on every surface (WCAG 2.2, 1.4.3). */
export const surfaces: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-body': '#f6f8f8',
    '--starling-surface': '#ffffff',
    '--starling-on-filled': '#ffffff',
    '--starling-line': '#dfe5e4',
    '--mantine-color-dimmed': '#586564',
    '--mantine-color-teal-light-color': '#05573e',
    '--mantine-color-orange-light-color': '#943106',
    '--mantine-color-yellow-light-color': '#7a4100',
    '--mantine-color-red-light-color': '#a51d1d',
  },
  dark: {
    '--mantine-color-error': '#ff8787',
    '--mantine-color-body': '#101615',
    '--starling-surface': '#18201f',
    '--starling-on-filled': '#08110f',
    '--mantine-color-iris-light-color': '#67d3b8',
    '--mantine-color-red-light-color': '#ffa8a8',
    '--starling-line': '#2b3635',
    '--mantine-color-dimmed': '#9fb0ae',
  },
});
