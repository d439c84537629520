/**
 * A node of Fedora CoreOS as the FleetLock protocol describes it, and nothing of this service:
 * https://coreos.github.io/zincati/development/fleetlock/protocol/
 */

/** Sends a request, as the node's HTTP client does. */
export type Send = (method: string, path: string, init: RequestInit) => Promise<Response>;

/** The protocol's error: logged by `value`, counted by `kind`. */
export interface FleetLockError {
  readonly kind: string;
  readonly value: string;
}

/** The states of Zincati's client: it starts in `initialization`, and reboots out of `finalization`. */
type NodeState = 'initialization' | 'steady' | 'pre-reboot' | 'finalization';

export class ZincatiNode {
  readonly id: string;
  /** The release that it runs, and the staged one. */
  release = 1;
  staged: number | undefined;
  state: NodeState = 'initialization';
  readonly errors: FleetLockError[] = [];
  readonly #send: Send;
  readonly #base: string;
  readonly #group: string;

  /** @param base the path of the lock's base URL. */
  constructor(send: Send, base: string, id: string, group = 'default') {
    this.#send = send;
    this.#base = base;
    this.id = id;
    this.#group = group;
  }

  /** An update was found and is staged. */
  stage(release: number): void {
    if (release > this.release) this.staged = release;
  }

  /** One tick of the client. It keeps its state while it is refused. */
  async tick(): Promise<void> {
    if (this.state === 'initialization') {
      if (await this.unlock()) this.state = 'steady';
    } else if (this.state === 'steady') {
      if (this.staged !== undefined) this.state = 'pre-reboot';
    } else if (this.state === 'pre-reboot') {
      if (await this.lock()) this.state = 'finalization';
    }
  }

  /** Reboots into the staged release: only its id and its disk survive. */
  reboot(): void {
    if (this.state !== 'finalization') throw new Error(`${this.id} reboots in ${this.state}`);
    this.release = this.staged ?? this.release;
    this.staged = undefined;
    this.state = 'initialization';
  }

  /** RecursiveLock */
  lock(): Promise<boolean> {
    return this.#post('/v1/pre-reboot');
  }

  /** UnlockIfHeld */
  unlock(): Promise<boolean> {
    return this.#post('/v1/steady-state');
  }

  /** "If the operation is successful, a 200 status code is returned. Every other code is a failed operation." */
  async #post(path: string): Promise<boolean> {
    const response = await this.#send('POST', this.#base + path, {
      headers: { 'fleet-lock-protocol': 'true' },
      body: JSON.stringify({ client_params: { id: this.id, group: this.#group } }),
    });
    if (response.status === 200) {
      await response.body?.cancel();
      return true;
    }
    this.errors.push(await response.json<FleetLockError>());
    return false;
  }
}
