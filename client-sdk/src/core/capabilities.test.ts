import { describe, expect, it } from 'vitest';
import { utf8Encode } from '@starling/protocol';
import { capabilitiesOf } from './capabilities.ts';
import { FakeTrainer } from './testing/fake-host.ts';
import { MemoryStorage } from './testing/memory-storage.ts';

describe('capabilitiesOf', () => {
  it('measures once for each version of the engine, and remembers', async () => {
    const [storage, trainer] = [new MemoryStorage(), new FakeTrainer()];
    const first = await capabilitiesOf({ storage, trainer });
    expect(first.fastest).toBe('wasm');
    expect(first.backends.every(({ isTrusted }) => isTrusted)).toBe(true);
    expect(await capabilitiesOf({ storage, trainer: new FakeTrainer() })).toEqual(first);
    expect(trainer.jobs).toEqual([{ kind: 'probe' }]);
  });

  it('measures again with another engine', async () => {
    const [storage, trainer] = [new MemoryStorage(), new FakeTrainer()];
    const old = { engine: '0.0.1+old', fastest: 'js', backends: [], arenaBytes: 1 };
    await storage.set('capabilities', utf8Encode(JSON.stringify(old)));
    expect((await capabilitiesOf({ storage, trainer })).fastest).toBe('wasm');
    expect(trainer.jobs).toHaveLength(1);
  });
});
