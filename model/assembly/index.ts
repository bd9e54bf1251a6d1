export { matmul } from './matmul';
export { convolution, convolutionFilterGradient, convolutionInputGradient } from './convolution';
export { depthwise, depthwiseFilterGradient, depthwiseInputGradient } from './depthwise';
export { averagePool, averagePoolGradient, gather, maxPoolIndex, scatter } from './pooling';
export {
  add,
  descend,
  erf,
  exp,
  geluByErf,
  geluByTanh,
  geluGradientByErf,
  geluGradientByTanh,
  log,
  maskPositive,
  multiply,
  multiplyScalar,
  reciprocal,
  reciprocalRoot,
  scale,
  shift,
  sigmoid,
  softplus,
  squareRoot,
  subtract,
  tanh,
} from './elementwise';
export { addRowsAt, copyRuns, pad, permute, takeRows } from './places';
export {
  addRow,
  addRowPositive,
  columnDot,
  columnSum,
  dot,
  multiplyColumn,
  multiplyRow,
  repeatColumn,
  repeatRow,
  rowDot,
  rowSum,
} from './rows';
export { normaliseRows, normaliseRowsGradient } from './normalise';
export { lstm, lstmGradient } from './lstm';
export { crossEntropy, oneHot, softmax } from './classification';
