/**
 * What a power cut leaves of a folder. The rules are the strictest reading of POSIX, and of file systems that keep names in
 * a journal (ext4, XFS, btrfs):
 *
 * - The bytes and the size of a file are on the disk if an `fsync` or `fdatasync` of it has returned that began after
 *   they were written.
 * - A name in a folder (made, removed, changed) is on the disk if an `fsync` of the folder has returned. A sync of the file
 *   is not enough, although it is on these file systems.
 * - Everything else is there or not, each name and each sector by itself: writes are dropped, torn and reordered. A rename
 *   is there as a whole or not at all.
 * - A sector is never mixed from two writes. Bytes that were not written are zeros.
 * - A file that became shorter keeps its old end, without anything that was written there later, or loses it.
 * - Memory that is shared with a file (`-shm`) is not traced: its bytes are arbitrary.
 */
import { posix } from 'node:path';
import { File, type Luck } from './file.ts';
import type { Change, Step } from './trace.ts';

/** The content of files, by path; null for a folder, which comes before what is in it. */
export type Image = ReadonlyMap<string, Buffer | null>;

export class Disk {
  readonly #root = new Folder();

  apply(step: Step): void {
    if (step.type === 'answer') return;
    if (step.type === 'sync') this.#at(step.path).sync(step.entered);
    else this.#change(step, step.left);
  }

  /**
   * @param luckOf called once for each file and folder
   * @param noise arbitrary bytes
   */
  afterCut(luckOf: () => Luck, noise: (size: number) => Buffer): Image {
    const image = new Map<string, Buffer | null>();
    walk(
      this.#root,
      '',
      (folder) => folder.afterCut(luckOf()),
      (path, node) => {
        if (node instanceof Folder) image.set(path, null);
        else image.set(path, node.isShared ? noise(node.size) : node.afterCut(luckOf()));
      },
    );
    return image;
  }

  /** What processes see, without files whose memory is shared. */
  cached(): Image {
    const image = new Map<string, Buffer | null>();
    walk(
      this.#root,
      '',
      ({ names }) => names,
      (path, node) => {
        if (node instanceof Folder) image.set(path, null);
        else if (!node.isShared) image.set(path, node.cached());
      },
    );
    return image;
  }

  #change(change: Change, at: number): void {
    const { type, path } = change;
    switch (type) {
      case 'create':
        // Opens a file that exists, or makes one.
        if (this.#find(path) === undefined) this.#rename(at, [path, new File()]);
        break;
      case 'folder':
        this.#rename(at, [path, new Folder()]);
        break;
      case 'remove':
        this.#rename(at, [path, undefined]);
        break;
      case 'link':
        this.#rename(at, [change.to, this.#at(path)]);
        break;
      case 'rename':
        this.#rename(at, [path, undefined], [change.to, this.#at(path)]);
        break;
      case 'map':
        this.#file(path).isShared = true;
        break;
      case 'write':
      case 'resize':
        this.#file(path).change(change, at);
    }
  }

  /** Changes names in one folder, as a whole. */
  #rename(at: number, ...paths: Entry[]): void {
    const [folder = '', another] = new Set(paths.map(([path]) => posix.dirname(path)));
    const parent = this.#at(folder);
    if (another !== undefined || !(parent instanceof Folder)) throw new Error(`${folder} is not the folder`);
    parent.change(
      at,
      paths.map(([path, node]) => [posix.basename(path), node]),
    );
  }

  #file(path: string): File {
    const node = this.#at(path);
    if (node instanceof File) return node;
    throw new Error(`${path} is not a file`);
  }

  #at(path: string): Node {
    const node = this.#find(path);
    if (node !== undefined) return node;
    throw new Error(`${path} does not exist`);
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      node = node instanceof Folder ? node.names.get(name) : undefined;
    }
    return node;
  }
}

type Node = File | Folder;
type Names = ReadonlyMap<string, Node>;
/** No node: the name was removed. */
type Entry = readonly [name: string, node: Node | undefined];

class Folder {
  /** What processes see. */
  names: Names = new Map();
  #durable: Names = new Map();
  #pending: { readonly at: number; readonly entries: readonly Entry[] }[] = [];

  change(at: number, entries: readonly Entry[]): void {
    this.names = withEntries(this.names, entries);
    this.#pending.push({ at, entries });
  }

  /** @param entered when the sync began */
  sync(entered: number): void {
    for (const { at, entries } of this.#pending) {
      if (at < entered) this.#durable = withEntries(this.#durable, entries);
    }
    this.#pending = this.#pending.filter(({ at }) => at >= entered);
  }

  afterCut(luck: Luck): Names {
    return this.#pending.reduce(
      (names, { entries }) => (luck() ? withEntries(names, entries) : names),
      this.#durable,
    );
  }
}

function withEntries(names: Names, entries: readonly Entry[]): Names {
  const next = new Map(names);
  for (const [name, node] of entries) {
    if (node === undefined) next.delete(name);
    else next.set(name, node);
  }
  return next;
}

function walk(
  folder: Folder,
  path: string,
  namesOf: (folder: Folder) => Names,
  visit: (path: string, node: Node) => void,
): void {
  for (const [name, node] of namesOf(folder)) {
    const inside = posix.join(path, name);
    visit(inside, node);
    if (node instanceof Folder) walk(node, inside, namesOf, visit);
  }
}
