import { modelBuilder, type ModelIr } from '../../index.ts';

export function femnist(): ModelIr {
  const m = modelBuilder('femnist');
  let h = m.features([28, 28, 1]);
  for (const features of [32, 64]) {
    h = m.relu(m.conv2d(h, { features, kernel: [5, 5], pads: [2, 2, 2, 2] }));
    h = m.maxPool2d(h, { size: [2, 2] });
  }
  h = m.relu(m.dense(m.flatten(h), { features: 2048 }));
  const logits = m.dense(h, { features: 62, group: 'head', name: 'out' });
  m.classification(logits, { classes: 62, metrics: ['accuracy', { kind: 'topK', k: 5 }] });
  m.optimiser({ kind: 'sgd', rate: 0.06 });
  return m.build();
}
