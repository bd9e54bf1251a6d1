import { parse, protocol, type PGlite } from '@electric-sql/pglite';

const { serialize } = protocol;

interface Prepared {
  readonly name: string;
  /** Object identifiers of the parameters' types. */
  readonly types: readonly number[];
}

/** More texts than the server has; a text that is made up anew each time costs no more than this. */
const mostKept = 500;

/** A plan that was made for a small table is not kept for a large one: nothing here gathers statistics that would undo it. */
const keptMs = 60_000;

const changesSchema = /^\s*(create|alter|drop)\s/i;

/**
 * Statements with parameters, prepared once: PGlite's own `query` parses, describes and plans each time, in six calls
 * into its WebAssembly, where one is enough.
 */
export class Statements {
  readonly #database: PGlite;
  readonly #clock: () => number;
  #prepared = new Map<string, Prepared>();
  #since: number;
  #made = 0;

  constructor(database: PGlite, clock: () => number = () => performance.now()) {
    this.#database = database;
    this.#clock = clock;
    this.#since = clock();
  }

  /** One statement; the caller runs one at a time. */
  async run(sql: string, parameters: readonly unknown[]): Promise<object[]> {
    const { name, types } = await this.#prepare(sql);
    if (changesSchema.test(sql)) this.#since = -Infinity; // what others were prepared for is no longer so
    const values = parameters.map((value, index) => this.#textOf(value, types[index]));
    const messages = await this.#say(
      serialize.bind({ statement: name, values }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
    );
    const [result] = parse.parseResults(messages, this.#database.parsers);
    return result?.rows ?? [];
  }

  async #prepare(sql: string): Promise<Prepared> {
    if (this.#clock() - this.#since >= keptMs || this.#prepared.size >= mostKept) await this.#forget();
    const known = this.#prepared.get(sql);
    if (known) return known;
    const name = `s${++this.#made}`;
    const messages = await this.#say(
      serialize.parse({ name, text: sql }),
      serialize.describe({ type: 'S', name }),
    );
    const prepared = { name, types: parse.parseDescribeStatementResults(messages) };
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  async #forget(): Promise<void> {
    const names = [...this.#prepared.values()].map(({ name }) => name);
    this.#prepared = new Map();
    this.#since = this.#clock();
    await this.#say(...names.map((name) => serialize.close({ type: 'S', name })));
  }

  #textOf(value: unknown, type: number | undefined): string | null {
    if (value === null || value === undefined) return null;
    const write = type === undefined ? undefined : this.#database.serializers[type];
    if (write) return write(value);
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** Ends with a Sync, so that what follows an error is a clean start. */
  async #say(...messages: Uint8Array[]) {
    const bytes = Buffer.concat([...messages, serialize.sync()]);
    return (await this.#database.execProtocol(bytes)).messages;
  }
}
