/** Makes a thing for each key, and keeps the most recently used. */
export class Recent<Key, Thing> {
  readonly #most: number;
  readonly #make: (key: Key) => Thing;
  /** The least recently used first. */
  readonly #kept = new Map<Key, Thing>();

  constructor(most: number, make: (key: Key) => Thing) {
    this.#most = most;
    this.#make = make;
  }

  get(key: Key): Thing {
    const thing = this.#kept.get(key) ?? this.#make(key);
    this.#kept.delete(key);
    this.#kept.set(key, thing);
    if (this.#kept.size > this.#most) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    return thing;
  }
}
