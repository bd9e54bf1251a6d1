import type { DeviceId, ProjectId } from '@starling/protocol';

interface Present {
  projectId: ProjectId;
  sockets: number;
  /** Monotonic milliseconds until which a device that polls counts as present. */
  until: number;
}

/** Which devices can be reached now: those with a socket, and those that polled a short while ago. In memory. */
export class Presence {
  readonly #present = new Map<DeviceId, Present>();
  readonly #clock: () => number;

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
    if (present.until <= this.#clock()) this.#present.delete(deviceId);
    return true;
  }

  /** A device without a socket asked for work: it is present for `forMs`. */
  poll(deviceId: DeviceId, projectId: ProjectId, forMs: number): void {
    const present = this.#entry(deviceId, projectId);
    present.until = Math.max(present.until, this.#clock() + forMs);
  }

  hasSocket(deviceId: DeviceId): boolean {
    return (this.#present.get(deviceId)?.sockets ?? 0) > 0;
  }

  isPresent(deviceId: DeviceId): boolean {
    const present = this.#present.get(deviceId);
    return present !== undefined && (present.sockets > 0 || present.until > this.#clock());
  }

  /** Devices of a project that are present. Forgets those whose time is over. */
  of(projectId: ProjectId): DeviceId[] {
    const ids: DeviceId[] = [];
    for (const [id, present] of this.#present) {
      if (!this.isPresent(id)) this.#present.delete(id);
      else if (present.projectId === projectId) ids.push(id);
    }
    return ids;
  }

  /** How many devices are present with a socket, and how many only because they polled. */
  count(): { socket: number; polling: number } {
    const now = this.#clock();
    const count = { socket: 0, polling: 0 };
    for (const { sockets, until } of this.#present.values()) {
      if (sockets > 0) count.socket++;
      else if (until > now) count.polling++;
    }
    return count;
  }

  forget(deviceId: DeviceId): void {
    this.#present.delete(deviceId);
  }

  #entry(deviceId: DeviceId, projectId: ProjectId): Present {
    let present = this.#present.get(deviceId);
    if (!present) {
      present = { projectId, sockets: 0, until: 0 };
      this.#present.set(deviceId, present);
    }
    return present;
  }
}
