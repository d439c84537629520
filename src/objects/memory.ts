import type { MachineStore, Version } from '../store/machine-store.ts';
import { type MachineState, wake } from './machine-state.ts';
import { type News, readNews } from './news.ts';

/**
 * Called with each commit, in the same turn of the event loop, and with what another object of the address has committed
 * when storage shows it; with `erased` if the machine was erased, and with `restarting` before the object restarts.
 */
export type Publish = (news: News | 'erased' | 'restarting') => void;

/**
 * The machine in memory, for as long as storage agrees with it, and the version of it that was published.
 *
 * Memory is stale if another object of the address has committed, so each read compares it with storage.
 */
export class Memory {
  readonly #store: MachineStore;
  readonly #publish: Publish;
  readonly #beforeLoad: () => void;
  #machine: MachineState | undefined;
  /** The version that was published last; undefined before the first look at storage, when nothing can wait yet. */
  #published: Version | undefined;

  /** @param beforeLoad called before the machine is read from storage. */
  constructor(store: MachineStore, publish: readonly Publish[], beforeLoad: () => void) {
    this.#store = store;
    this.#publish = (news) => {
      for (const each of publish) each(news);
    };
    this.#beforeLoad = beforeLoad;
  }

  /** The machine in memory. It may be stale. */
  get machine(): MachineState | undefined {
    return this.#machine;
  }

  /** Returns the machine as it is stored, and publishes what this object has not. */
  read(): MachineState | undefined {
    const stored = this.#store.version() ?? NO_VERSION;
    if (!isSame(stored, this.#machine ?? NO_VERSION)) {
      // Another object of the address may have erased the machine and begun it again: tables that were there may be gone.
      this.#store.forget();
      this.#machine = stored === NO_VERSION ? undefined : this.#load();
    }
    const machine = this.#machine;
    const published = this.#published ?? stored;
    this.#published = stored;
    if (isSame(stored, published)) return machine;
    // If it has no more entries than before, it was erased, and may have begun again.
    const isErased = machine === undefined || machine.entries <= published.entries;
    this.#publish(isErased ? 'erased' : readNews(this.#store, machine, published.entries));
    return machine;
  }

  #load(): MachineState | undefined {
    this.#beforeLoad();
    return wake(this.#store);
  }

  /** Takes over and publishes a commit of this object. */
  committed(news: News): void {
    this.#machine = news.machine;
    this.#published = news.machine;
    this.#publish(news);
  }

  /** Drops the machine, because the content of storage is unknown. The next read loads it again. */
  forget(): void {
    this.#machine = undefined;
    this.#store.forget();
  }

  /** Drops the machine after it was erased, and publishes this. */
  erased(): void {
    this.forget();
    this.#published = NO_VERSION;
    this.#publish('erased');
  }
}

/** The version where there is no machine. */
export const NO_VERSION: Version = { entries: 0, revision: 0 };

function isSame(one: Version, other: Version): boolean {
  return one.entries === other.entries && one.revision === other.revision;
}
