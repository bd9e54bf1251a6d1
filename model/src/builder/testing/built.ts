import type { ModelIr } from '../../ir/schema.ts';
import { modelBuilder } from '../model-builder.ts';

/** Models that together use every call of the builder. */
export const builtModels = {
  perceptron(): ModelIr {
    const m = modelBuilder('perceptron');
    const h = m.tanh(m.dense(m.standardise(m.features([5])), { features: 8 }));
    m.classification(m.dense(m.dropout(h, { rate: 0.1 }), { features: 3, group: 'head' }), {
      classes: 3,
      metrics: ['accuracy', 'f1', { kind: 'topK', k: 2 }],
    });
    m.optimiser({ kind: 'sgd', rate: 0.1, momentum: 0.9, nesterov: true });
    m.meta({ algorithm: 'maml', order: 2, innerSteps: 1, innerRate: 0.4, adapt: ['head'] });
    return m.build();
  },

  activity(): ModelIr {
    const m = modelBuilder('activity');
    const c = m.conv1d(m.features([16, 3]), { features: 4, kernel: 3, stride: 1, pads: [1, 1] });
    const n = m.groupNorm(c, { groups: 2, epsilon: 1e-3 });
    const pooled = m.concat([m.maxPool1d(n, { size: 2 }), m.avgPool1d(n, { size: 2, stride: 2 })], {
      axis: 2,
    });
    const sides = m.concat([m.globalAvgPool1d(pooled), m.globalMaxPool1d(pooled)], { axis: 1 });
    m.multiLabel(m.dense(sides, { features: 4, bias: false, init: { kind: 'heUniform' } }), {
      labels: 'targets',
    });
    m.meta({ innerRate: { learned: 0.01 } });
    return m.build();
  },

  picture(): ModelIr {
    const m = modelBuilder('picture');
    const x = m.features([8, 8, 2], { name: 'image' });
    const c = m.batchNorm(m.conv2d(x, { features: 4, kernel: [3, 3], pads: [1, 1, 1, 1], bias: false }), {
      share: 'local',
    });
    const d = m.depthwiseConv2d(m.relu(c), { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
    const s = m.add(m.gelu(d, { variant: 'erf' }), m.maxPool2d(c, { size: [2, 2] }));
    const p = m.mul(s, m.sigmoid(m.avgPool2d(c, { size: [2, 2], floor: false })));
    const h = m.concat([m.globalAvgPool2d(p), m.globalMaxPool2d(p)], { axis: 1 });
    m.regression(m.dense(h, { features: 2 }), { loss: 'huber', delta: 0.5 });
    m.optimiser({ kind: 'adam', rate: 0.001 });
    return m.build();
  },

  text(): ModelIr {
    const m = modelBuilder('text');
    const x = m.embedding(m.tokens([6], { vocabulary: 11 }), { features: 4 });
    const places = m.parameter([6, 4], { init: { kind: 'normal', deviation: 0.02 }, name: 'places' });
    const e = m.layerNorm(m.add(x, places));
    const seen = m.attention(e, e, e, { heads: 2, causal: true });
    const states = m.gru(m.lstm(seen, { features: 8 }), { features: 5 });
    m.classification(m.dense(states, { features: 11, group: 'head' }), {
      classes: 11,
      metrics: ['perplexity'],
    });
    m.optimiser({ kind: 'adamw', rate: 0.001, weightDecay: 0.01 });
    return m.build();
  },

  places(): ModelIr {
    const m = modelBuilder('places');
    const x = m.reshape(m.features([12]), { shape: [3, 4] });
    const t = m.softmax(m.transpose(x, { axes: [2, 1] }));
    const r = m.reduce(m.slice(t, { axis: 1, start: 1, end: 3 }), { kind: 'max', axes: [1], keep: true });
    m.regression(m.flatten(r), { metrics: [] });
    return m.build();
  },
};
