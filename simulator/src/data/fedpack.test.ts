import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePack } from './encode-pack.ts';
import { openPack, packFrom } from './fedpack.ts';
import { PackError, type PackErrorCode } from './pack-error.ts';
import { smallContents, smallPack } from './testing/small-pack.ts';

type Fields = Record<string, unknown>;

/** A sound pack in parts, to be damaged. */
interface Parts {
  readonly index: Fields;
  readonly arrays: Fields;
  readonly x: Fields;
  readonly y: Fields;
  readonly notes: Fields;
  readonly users: Fields[];
  readonly ada: Fields;
  readonly ben: Fields;
  readonly cy: Fields;
  readonly files: Fields[];
  readonly file: Fields;
  readonly data: Uint8Array;
}

function parts(): Parts {
  const { index: made, data } = encodePack(smallContents());
  const index = structuredClone(made) as Fields & {
    arrays: Record<'x' | 'y' | 'notes', Fields>;
    users: [Fields, Fields, Fields];
    files: [Fields];
  }; // what encodePack makes of smallContents
  const { arrays, users, files } = index;
  return {
    index,
    arrays,
    ...arrays,
    users,
    ada: users[0],
    ben: users[1],
    cy: users[2],
    files,
    file: files[0],
    data,
  };
}

function refusal(open: () => unknown): PackError {
  try {
    open();
  } catch (error) {
    if (error instanceof PackError) return error;
    throw error;
  }
  throw new Error('The pack was accepted.');
}

describe('a sound pack', () => {
  it('gives values as stored * scale + offset, channel by channel', () => {
    const pack = smallPack();
    expect([...pack.values(pack.array('x'), 1, 1)]).toEqual([-7, -2.25, -24, -5.5, -1.5, -18]);
  });

  it('finds users by id and says who there is otherwise', () => {
    const pack = smallPack();
    expect(pack.user('ben')).toMatchObject({ offset: 3, count: 2, fold: 1, classCounts: [2, 0] });
    const error = refusal(() => pack.user('eve\u001b[31m'));
    expect(error.code).toBe('pack-unknown-user');
    expect(error.message).toContain('"eve\\u{1b}[31m"');
    expect(error.message).toContain('"ada", "ben", "cy"');
  });

  it('calls arrays with a vector or a window for each row of the users features', () => {
    expect(
      smallPack()
        .featureArrays()
        .map((array) => array.name),
    ).toEqual(['x']);
  });

  it('keeps fields that it does not know out of the way', () => {
    const { index, data, ada, x } = parts();
    index['colour'] = 'green';
    ada['age'] = 54;
    x['note'] = 'anything';
    expect(packFrom(index, data, 'p').users).toHaveLength(3);
  });

  it('takes a scale list of one as the scale of all channels', () => {
    const { index, data, x } = parts();
    x['scale'] = [3];
    delete x['offset'];
    const pack = packFrom(index, data, 'p');
    expect([...pack.values(pack.array('x'), 0, 1)]).toEqual([-60, -57, -54, -51, -48, -45]);
  });

  it('does not count unlabelled rows', () => {
    const { index, data, users } = parts();
    index['unlabelled'] = 1;
    [1, 2, 1].forEach((rest, i) => (users[i]!['classCounts'] = [rest, 0]));
    expect(packFrom(index, data, 'p').unlabelled).toBe(1);
  });
});

const damages: readonly [string, PackErrorCode, (parts: Parts) => void][] = [
  ['another format', 'pack-format', ({ index }) => (index['format'] = 'zip')],
  ['a later version', 'pack-version', ({ index }) => (index['version'] = 2)],
  ['no name', 'pack-field', ({ index }) => delete index['name']],
  ['an empty name', 'pack-field', ({ index }) => (index['name'] = '')],
  ['no arrays', 'pack-field', ({ index }) => delete index['arrays']],
  ['arrays as a list', 'pack-field', ({ index }) => (index['arrays'] = [])],
  ['an array that is no object', 'pack-field', ({ arrays }) => (arrays['x'] = null)],
  ['no users', 'pack-field', ({ index }) => delete index['users']],
  ['a user that is no object', 'pack-field', ({ index }) => (index['users'] = ['ben'])],
  ['a user without id', 'pack-field', ({ ben }) => delete ben['id']],
  ['a user with a negative count', 'pack-field', ({ ben }) => (ben['count'] = -1)],
  ['a user with half a row', 'pack-field', ({ ben }) => (ben['count'] = 1.5)],
  ['a fold that is a text', 'pack-field', ({ ben }) => (ben['fold'] = 'one')],
  ['class counts that are texts', 'pack-field', ({ ben }) => (ben['classCounts'] = ['2', '0'])],
  ['the same class twice', 'pack-field', ({ index }) => (index['classes'] = ['rest', 'rest'])],
  ['no entry for data.bin', 'pack-field', ({ index }) => (index['files'] = [])],
  ['two entries for data.bin', 'pack-field', ({ files, file }) => files.push(file)],
  ['a digest that is no digest', 'pack-field', ({ file }) => (file['sha256'] = 'abc')],
  ['an empty shape', 'pack-field', ({ x }) => (x['shape'] = [])],
  ['a shape with an empty axis', 'pack-field', ({ x }) => (x['shape'] = [7, 0, 3])],
  ['a scale that is a text', 'pack-field', ({ x }) => (x['scale'] = 'big')],
  ['an unknown dtype', 'pack-array-dtype', ({ x }) => (x['dtype'] = 'float16')],
  ['a dtype named like a method', 'pack-array-dtype', ({ x }) => (x['dtype'] = 'toString')],
  ['a smaller size', 'pack-file-size', ({ file }) => (file['bytes'] = 8)],
  ['one flipped bit', 'pack-file-digest', ({ data }) => (data[5]! ^= 1)],
  ['an array off its 8-byte boundary', 'pack-array-alignment', ({ x }) => (x['byteOffset'] = 4)],
  ['an array beyond the end', 'pack-array-bounds', ({ notes }) => (notes['byteOffset'] = 2 ** 40)],
  ['an array of another length', 'pack-array-length', ({ x }) => (x['byteLength'] = 82)],
  ['an array of an absurd shape', 'pack-array-length', ({ x }) => (x['shape'] = [2 ** 50, 2 ** 50])],
  ['arrays that share bytes', 'pack-array-overlap', ({ y }) => (y['byteOffset'] = 8)],
  ['a scale for two of three channels', 'pack-array-scale', ({ x }) => (x['scale'] = [1, 2])],
  ['an offset for four of three channels', 'pack-array-scale', ({ x }) => (x['offset'] = [1, 2, 3, 4])],
  ['channels for two of three', 'pack-array-scale', ({ x }) => (x['channels'] = ['a', 'b'])],
  ['a scale for each label', 'pack-array-scale', ({ y }) => (y['scale'] = [1, 1, 1, 1, 1, 1, 1])],
  ['the same user twice', 'pack-user-duplicate', ({ cy }) => (cy['id'] = 'ada')],
  ['users out of order', 'pack-user-rows', ({ users }) => users.reverse()],
  ['a gap between users', 'pack-user-rows', ({ ben }) => (ben['offset'] = 4)],
  ['rows of nobody', 'pack-user-rows', ({ users }) => users.pop()],
  ['nobody at all', 'pack-user-rows', ({ index }) => (index['users'] = [])],
  ['users without rows in any array', 'pack-user-rows', ({ arrays, users }) => {
    delete arrays['y'];
    users.pop();
  }],
  ['a label without a class', 'pack-label', ({ index }) => (index['classes'] = ['rest'])],
  ['labels of two axes', 'pack-label', ({ y }) => (y['shape'] = [7, 1])],
  ['class counts of others', 'pack-class-counts', ({ ada }) => (ada['classCounts'] = [2, 1])],
  ['class counts without labels', 'pack-class-counts', ({ arrays }) => delete arrays['y']],
]; // prettier-ignore

describe('a damaged pack is refused', () => {
  it.each(damages)('%s: %s', (_, code, damage) => {
    const pack = parts();
    damage(pack);
    const error = refusal(() => packFrom(pack.index, pack.data, '/packs/small'));
    expect(error.code).toBe(code);
    expect(error.path).toBe('/packs/small');
    expect(error.message).toMatch(/^Pack "\/packs\/small": .+/);
  });

  it('shows names of unknown origin without their control characters', () => {
    const { index, data, ben, cy } = parts();
    ben['id'] = cy['id'] = 'x\u202e\u0007"';
    expect(refusal(() => packFrom(index, data, 'p')).message).toContain('"x\\u{202e}\\u{7}\\""');
  });

  it('whatever single edit index.json suffers: refused with a code, or readable to the last row', () => {
    const scalar = fc.oneof(
      fc.constantFrom(null, true, '', 'x', 'y', '__proto__', -1, 0, 1, 7, 8, 0.5, 2 ** 31, 2 ** 53, 1e300),
      fc.integer({ min: -10, max: 100 }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), scalar, (where, edit, value) => {
        const { index, data } = parts();
        const places = placesOf(index);
        const { parent, key } = places[where % places.length]!;
        if (edit === 'replace') parent[key] = value;
        else if (edit === 'remove') Reflect.deleteProperty(parent, key);
        else parent[`${key}+`] = value;
        const json: unknown = JSON.parse(JSON.stringify(index));
        let pack;
        try {
          pack = packFrom(json, data, 'p');
        } catch (error) {
          expect(error).toBeInstanceOf(PackError);
          return;
        }
        for (const user of pack.users)
          for (const array of pack.featureArrays())
            expect(pack.values(array, user.offset, user.count).length % Math.max(user.count, 1)).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });
});

function placesOf(value: Fields): { parent: Fields; key: string }[] {
  return Object.entries(value).flatMap(([key, inner]) => [
    { parent: value, key },
    ...(typeof inner === 'object' && inner !== null ? placesOf(inner as Fields) : []),
  ]);
}

describe('a pack directory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'starling-pack-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function codeOf(files: Record<string, string | Uint8Array>): Promise<PackErrorCode | 'opened'> {
    const pack = await mkdtemp(join(directory, 'p-'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(pack, name), content);
    return openPack(pack).then(
      () => 'opened' as const,
      (error: unknown) => {
        if (error instanceof PackError) return error.code;
        throw error;
      },
    );
  }

  it('opens when both files are whole', async () => {
    const { index, data } = parts();
    expect(await codeOf({ 'index.json': JSON.stringify(index), 'data.bin': data })).toBe('opened');
  });

  it('is refused without index.json, or without data.bin', async () => {
    const { index, data } = parts();
    expect(await codeOf({ 'data.bin': data })).toBe('pack-missing');
    expect(await codeOf({ 'index.json': JSON.stringify(index) })).toBe('pack-missing');
    await expect(openPack(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'pack-missing' });
  });

  it('is refused when index.json is not JSON in UTF-8', async () => {
    const { data } = parts();
    expect(await codeOf({ 'index.json': '{"format":', 'data.bin': data })).toBe('pack-index-unreadable');
    expect(await codeOf({ 'index.json': Uint8Array.of(34, 0xff, 34), 'data.bin': data })).toBe(
      'pack-index-unreadable',
    );
  });

  it('is refused when data.bin was cut short', async () => {
    const { index, data } = parts();
    expect(await codeOf({ 'index.json': JSON.stringify(index), 'data.bin': data.subarray(8) })).toBe(
      'pack-file-size',
    );
  });

  it('names the digest that it found and the one that it expected', () => {
    const { index, data, file } = parts();
    data[0]! ^= 0xff;
    const { message } = refusal(() => packFrom(index, data, 'p'));
    expect(message).toContain(createHash('sha256').update(data).digest('hex'));
    expect(message).toContain(file['sha256']);
  });
});
