import { type Address, formatAddress } from '../address.ts';
import { continueFrom } from '../chart/chart.ts';
import type { Outcome, Restore, Restored } from '../commands.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { Restoration } from '../store/restoration.ts';
import type { Draft } from './draft.ts';
import { jitter } from './faults.ts';
import { activeNames, type MachineState } from './machine-state.ts';
import type { Registry } from './registry.ts';

/** What a restore needs of its machine. */
interface Host {
  readonly ctx: DurableObjectState;
  readonly address: Address;
  readonly store: MachineStore;
  readonly registry: Registry;
  /** Returns the machine as it is stored, after finishing a restore and firing what is due. */
  current(): MachineState | undefined;
  /** Ends all watches, because the object restarts: their readers come back. */
  sendBack(): void;
}

/**
 * Puts a machine back to a moment by the platform's point-in-time recovery.
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
 *
 * 1. `restore` notes in the tenant's registry what will be undone, arms the recovery, and restarts the object. The call
 *    ends with the object.
 * 2. The storage of the restarted object knows nothing of this. The note tells it: in the same isolate through `restarted`,
 *    before any other request; else by `restored`, which the edge sends at once, and the registry's alarm if the edge fails.
 * 3. The machine goes on above the revisions and history ids of what was undone, in one commit with the entry that says
 *    so. Then the registry is corrected, and the note dropped.
 *
 * The note is in another object, because the machine's own storage forgets it, and because it is durable before the
 * recovery is armed: a crash at any point leaves a restore that is finished later, or a machine that has not changed.
 *
 * Where the object starts in another isolate, requests that arrive before `restored` are executed on the machine as it
 * was, and may get revisions of what was undone. An object does not ask the registry when it starts: each start would
 * cost a call.
 */
export class Recovery {
  readonly #host: Host;
  /** The restore that this object, just restarted, has to finish; undefined if there is none, or none is known of. */
  #note: Restoration | undefined;
  #isRestarting = false;

  constructor(host: Host) {
    this.#host = host;
    const key = host.ctx.id.toString();
    this.#note = restarted.get(key);
    restarted.delete(key);
  }

  /** Whether there is a restore to finish. Where there is no machine then, none may begin. */
  get isPending(): boolean {
    return this.#note !== undefined;
  }

  /** Whether the object is about to restart. What it commits then is lost, so it commits nothing. */
  get isRestarting(): boolean {
    return this.#isRestarting;
  }

  /** Returns the restore that this machine, as it was loaded, has to take into account. */
  owedBy(machine: MachineState): Restoration | undefined {
    // The storage did not go back, or the entry is written already.
    if (this.#note !== undefined && machine.revision >= this.#note.revision) this.#note = undefined;
    return this.#note;
  }

  /** Executes a command, which is a batch of its own. */
  async execute(command: Restore | Restored): Promise<Outcome[]> {
    return [await (command.type === 'restore' ? this.#restore(command) : this.#settle(command))];
  }

  /** Executes a `restore`. Where it restarts the object, it never returns: `restored` brings the outcome. */
  async #restore(command: Restore): Promise<Outcome<Restore>> {
    const { ctx, address, store } = this.#host;
    const bookmark = await bookmarkFor(ctx.storage, command.at);
    if (bookmark === undefined) return notSupportedHere();
    const machine = this.#host.current();
    if (machine !== undefined) {
      if (machine.changedAt <= command.at) return { ok: true, revision: machine.revision };
      const [first] = store.history.readAfter(machine.entries, 0, 1);
      if (first?.id === 1 && command.at < first.at) return notStartedBy(address, command.at, first.at);
    }
    return this.#goTo(bookmark, (present) => noteOf(address, command, machine, present));
  }

  /** Executes a `restored`: finishes the restore if nothing has yet. */
  async #settle({ id }: Restored): Promise<Outcome<Restored>> {
    const { address, store, registry } = this.#host;
    const note = await registry.restoration();
    if (note === undefined) return restoreUnknown();
    this.#note ??= note;
    const machine = this.#host.current();
    if (machine === undefined && !note.isUndone) {
      // There was no machine at the moment. Back to the present.
      return this.#goTo(note.present, () => ({ ...note, isUndone: true }));
    }
    this.#note = undefined;
    await registry.settle(machine && store.chartBytes());
    if (note.id !== id) return restoreUnknown();
    if (machine === undefined || note.isUndone) return notStartedBy(address, note.at);
    const [entry] = store.history.readAfter(machine.entries, note.entries, 1);
    return entry?.cause === 'restore' ? { ok: true, revision: machine.revision } : notRestored();
  }

  /**
   * Restarts the object with the storage of a bookmark. Nothing is committed meanwhile, so the note is of the last
   * revision.
   *
   * @returns a refusal where nothing was armed.
   */
  async #goTo(bookmark: string, noteAt: (present: string) => Restoration): Promise<Refusal> {
    const { ctx, registry, sendBack } = this.#host;
    this.#isRestarting = true;
    try {
      const noted = await registry.restoring(noteAt(await ctx.storage.getCurrentBookmark()));
      if (!noted.ok) return noted;
      sendBack();
      // From here on the restart tells: if the recovery was not armed, the machine is unchanged after it. The platform logs
      // the reason.
      const reason = await ctx.storage.onNextSessionRestoreBookmark(bookmark).then(
        () => 'the machine is being restored',
        (error: unknown) => `a recovery was not armed: ${error}`,
      );
      restarted.set(ctx.id.toString(), noted.note);
      ctx.abort(reason);
      throw new Error('the object did not restart');
    } finally {
      this.#isRestarting = false;
    }
  }
}

/** Continues a restored machine above what was undone, with the entry of history that says so. */
export function finishRestore(draft: Draft, note: Restoration, now: number): void {
  const { at, by, sub, revision, states } = note;
  const undone =
    states === null ? 'the machine had been deleted' : `undone: what came after, up to revision ${revision}`;
  const notes = [`put back to ${time(at)}`, undone];
  draft.numberFrom(note);
  const step = continueFrom(draft.machine.snapshot, at, now);
  draft.take(step, now, { cause: 'restore', event: null, state: null, by, sub, notes }, [...(states ?? [])]);
}

/**
 * Restores whose objects have just restarted, by the id of the object. An object usually starts again in the same isolate,
 * and then knows before its first request.
 */
const restarted = new Map<string, Restoration>();

function noteOf(
  address: Address,
  { id, at, by, sub }: Restore,
  machine: MachineState | undefined,
  present: string,
): Restoration {
  const { revision = 0, entries = 0 } = machine ?? {};
  const states = machine === undefined ? null : activeNames(machine.chart, machine.snapshot);
  const who = { by: by ?? null, sub: sub ?? null };
  return { id, machine: formatAddress(address), at, revision, entries, states, ...who, present };
}

/**
 * Returns the bookmark of a moment; undefined if the storage does not implement point-in-time recovery. workerd throws
 * then (`ActorCacheInterface` in src/workerd/io/actor-cache.h), but not in `getCurrentBookmark`, which it imitates for D1
 * (`ActorSqlite` in src/workerd/io/actor-sqlite.c++).
 */
async function bookmarkFor(storage: DurableObjectStorage, at: number): Promise<string | undefined> {
  try {
    return await storage.getBookmarkForTime(at);
  } catch (error) {
    if (error instanceof Error && /does not implement point-in-time recovery/.test(error.message))
      return undefined;
    throw error;
  }
}

/** Refuses a restore where the storage has no point-in-time recovery. */
function notSupportedHere(): Refusal {
  const detail =
    'A machine can be restored on Cloudflare only: the storage here keeps no log of its changes.';
  return refuse('not-supported-here', detail);
}

/** Refuses a restore to a moment at which there was no machine. @param began when it began, if that is known. */
function notStartedBy(address: Address, at: number, began?: number): Refusal {
  const since = began === undefined ? '' : `; it began at ${time(began)}`;
  const detail = `There was no machine at ${formatAddress(address)} at ${time(at)}${since}. Nothing has changed.`;
  return refuse('no-chart', detail);
}

/** Refuses a restore after which the machine is as before. */
function notRestored(): Refusal {
  const detail = 'The machine has restarted, but the platform did not put it back; nothing has changed.';
  return refuse('lost', detail, { retryAfter: jitter() });
}

/** Refuses to tell the outcome of a restore that another request, or the registry, has finished. */
function restoreUnknown(): Refusal {
  const detail = 'The machine may have been restored; look at its history before you send the request again.';
  return refuse('outcome-unknown', detail);
}

function time(at: number): string {
  return new Date(at).toISOString();
}
