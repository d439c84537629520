import type { Change } from './trace.ts';

/** What a disk writes without a tear, in bytes: the smallest sector of present disks. */
const SECTOR = 512;

/** Chooses whether a change that was not synced is on the disk. */
export type Luck = () => boolean;

type FileChange = Extract<Change, { type: 'write' | 'resize' }>;

/** A file, as processes see it, and as it is on the disk (`disk.ts` has the rules). */
export class File {
  /** Whether a process shares its memory with the file. */
  isShared = false;
  readonly #cached = new Bytes();
  readonly #durable = new Bytes();
  #pending: { readonly at: number; readonly change: FileChange }[] = [];

  get size(): number {
    return this.#cached.size;
  }

  cached(): Buffer {
    return this.#cached.toBuffer();
  }

  change(change: FileChange, at: number): void {
    applyTo(this.#cached, change);
    this.#pending.push({ at, change });
  }

  /** @param entered when the sync began */
  sync(entered: number): void {
    for (const { at, change } of this.#pending) if (at < entered) applyTo(this.#durable, change);
    this.#pending = this.#pending.filter(({ at }) => at >= entered);
  }

  afterCut(luck: Luck): Buffer {
    const disk = new Bytes(this.#durable.toBuffer());
    // Where the file was cut off, if that is not on the disk: the disk has other blocks for what was written there later.
    let kept = Number.POSITIVE_INFINITY;
    for (const { change } of this.#pending) {
      if (change.type === 'resize') {
        if (luck()) disk.resize(change.size);
        else kept = Math.min(kept, change.size);
        continue;
      }
      const end = Math.min(change.offset + change.data.length, kept);
      if (end > disk.size && luck()) disk.resize(end);
      for (const piece of sectorsOf(change)) {
        if (luck() && piece.offset + piece.data.length <= Math.min(disk.size, kept)) {
          disk.write(piece.offset, piece.data);
        }
      }
    }
    return disk.toBuffer();
  }
}

function applyTo(bytes: Bytes, change: FileChange): void {
  if (change.type === 'write') bytes.write(change.offset, change.data);
  else bytes.resize(change.size);
}

/** Splits a write at the borders of sectors. */
function* sectorsOf({
  offset,
  data,
}: {
  offset: number;
  data: Buffer;
}): Generator<{ offset: number; data: Buffer }> {
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + SECTOR - ((offset + from) % SECTOR));
    yield { offset: offset + from, data: data.subarray(from, to) };
    from = to;
  }
}

/** Bytes that grow. Gaps are zeros. */
class Bytes {
  size: number;
  /** Zeros behind `size`. */
  #bytes: Buffer;

  constructor(content = Buffer.alloc(0)) {
    this.#bytes = content;
    this.size = content.length;
  }

  write(offset: number, data: Buffer): void {
    this.resize(Math.max(this.size, offset + data.length));
    data.copy(this.#bytes, offset);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(2 * size);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  /** @returns a copy. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.size));
  }
}
