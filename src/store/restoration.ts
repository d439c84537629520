/**
 * A restore under way. The storage of the machine goes back to the moment and forgets all that came after, this restore
 * included, so the registry of its tenant keeps the note until the machine has written its entry of history.
 */
export interface Restoration {
  /** Names the restore. */
  readonly id: string;
  /** The address of the machine. */
  readonly machine: string;
  /** The moment, ms since the epoch. */
  readonly at: number;
  /** The last revision of what is undone: the restored machine has a smaller one, and goes on above it. */
  readonly revision: number;
  /** The entries of history that had been written: the restored machine numbers its entries from there. */
  readonly entries: number;
  /** The active states of what is undone; null where the machine had been deleted. */
  readonly states: readonly string[] | null;
  readonly by: string | null;
  readonly sub: string | null;
  /** The platform's bookmark of what is undone. */
  readonly present: string;
  /** Set where there was no machine at the moment, and the storage goes back to `present`. */
  readonly isUndone?: true;
}

/** Whether a value is a note. The texts and lists in it were written by `Recovery`. */
export function isRestoration(value: unknown): value is Restoration {
  if (typeof value !== 'object' || value === null) return false;
  const { id, machine, at, revision, entries, present } = value as Readonly<Record<string, unknown>>;
  return (
    [id, machine, present].every((text) => typeof text === 'string') &&
    [at, revision, entries].every((number) => typeof number === 'number')
  );
}
