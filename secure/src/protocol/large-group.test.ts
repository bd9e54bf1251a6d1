import { expect, it } from 'vitest';
import { bestMasks } from '../masks/index.ts';
import { castOf, openSum, phase, plainSum, start } from '../testing/group.ts';

/** One of 1,000 is in `npm run bench -- secure --only unmask-1000`: that takes a minute. */
it('sums exactly over a drawn graph of 300 devices, of which some drop out in every phase', async () => {
  const cast = castOf({
    size: 300,
    masks: bestMasks(),
    terms: { minimum: 150, dropOutPermille: 200 },
  });
  let moment = await start(cast);
  for (let count = 0; moment.server.phase !== 'summed'; count++) {
    expect(moment.server.phase).not.toBe('aborted');
    // Every nonce is needed; after that another 2 to 3 % is missing in each phase.
    const canDrop = moment.server.phase !== 'reveals';
    const speaking = moment.alive.filter((number) => !canDrop || (number + 13 * count) % 40 !== 0);
    moment = await phase(cast, moment, speaking);
  }
  const { sum, counted } = openSum(cast, moment.server);
  expect(counted.length).toBeGreaterThan(250);
  expect(counted.length).toBeLessThan(290);
  expect(sum).toEqual(plainSum(cast, counted));
}, 300_000);
