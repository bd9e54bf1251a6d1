import type { DeviceId, ProjectId } from '@starling/protocol';

interface Present {
  projectId: ProjectId;
  sockets: number;
  /** Monotonic milliseconds at which a device that polls is to ask again. */
  asksAt: number;
}

/** How late a device may be that was told when to ask again. */
const graceMs = 5_000;

/** A device that asks again within this time is as good as here: it may be offered a round before. */
const reachMs = 30_000;

/** How old the count of waiting devices may be: each of them asks for it. */
const countedForMs = 1_000;

/** Which devices can be reached now: those with a socket, and those that will soon ask. In memory. */
export class Presence {
  readonly #present = new Map<DeviceId, Present>();
  readonly #clock: () => number;
  readonly #waiting = new Map<ProjectId, { count: number; at: number }>();

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** A socket opened. Returns true when the device was not online by socket before. */
  connect(deviceId: DeviceId, projectId: ProjectId): boolean {
    const present = this.#entry(deviceId, projectId);
    present.sockets++;
    return present.sockets === 1;
  }

  /** A socket closed. Returns true when it was the device's last. */
  disconnect(deviceId: DeviceId): boolean {
    const present = this.#present.get(deviceId);
    if (!present) return false;
    present.sockets = Math.max(0, present.sockets - 1);
    if (present.sockets > 0) return false;
    if (!this.#isExpected(present)) this.#present.delete(deviceId);
    return true;
  }

  /** A device without a socket asked for work, and was told to ask again after `delayMs`. */
  poll(deviceId: DeviceId, projectId: ProjectId, delayMs: number): void {
    this.#entry(deviceId, projectId).asksAt = this.#clock() + delayMs;
  }

  /** How many devices of a project wait until they ask again. */
  waiting(projectId: ProjectId): number {
    const now = this.#clock();
    const known = this.#waiting.get(projectId);
    if (known && now - known.at < countedForMs) return known.count;
    let count = 0;
    for (const present of this.#present.values()) {
      if (present.projectId === projectId && present.sockets === 0 && this.#isExpected(present)) count++;
    }
    this.#waiting.set(projectId, { count, at: now });
    return count;
  }

  hasSocket(deviceId: DeviceId): boolean {
    return this.sockets(deviceId) > 0;
  }

  /** Connections of a device to this process. */
  sockets(deviceId: DeviceId): number {
    return this.#present.get(deviceId)?.sockets ?? 0;
  }

  isPresent(deviceId: DeviceId): boolean {
    const present = this.#present.get(deviceId);
    if (!present) return false;
    const isSoonHere = this.#isExpected(present) && present.asksAt - this.#clock() <= reachMs;
    return present.sockets > 0 || isSoonHere;
  }

  /** Devices of a project that are present. Forgets those whose time is over. */
  of(projectId: ProjectId): DeviceId[] {
    const ids: DeviceId[] = [];
    for (const [id, present] of this.#present) {
      if (present.sockets === 0 && !this.#isExpected(present)) this.#present.delete(id);
      else if (present.projectId === projectId && this.isPresent(id)) ids.push(id);
    }
    return ids;
  }

  /** How many devices of this process are connected, and how many are expected to ask again. */
  count(): { socket: number; polling: number } {
    const count = { socket: 0, polling: 0 };
    for (const present of this.#present.values()) {
      if (present.sockets > 0) count.socket++;
      else if (this.#isExpected(present)) count.polling++;
    }
    return count;
  }

  forget(deviceId: DeviceId): void {
    this.#present.delete(deviceId);
  }

  #isExpected({ asksAt }: Present): boolean {
    return asksAt + graceMs > this.#clock();
  }

  #entry(deviceId: DeviceId, projectId: ProjectId): Present {
    let present = this.#present.get(deviceId);
    if (!present) {
      present = { projectId, sockets: 0, asksAt: -Infinity };
      this.#present.set(deviceId, present);
    }
    return present;
  }
}
