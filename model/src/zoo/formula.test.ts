import { expect, it } from 'vitest';
import { unit } from './testing/formula.ts';

it('draws what its twin in Python draws', () => {
  // As in cluster/tests/test_cluster.py.
  expect([...unit('train/x', 4)].map((u) => u * 2 ** 24)).toEqual([8808197, 3647852, 7017776, 7147352]);
});
