/** The model of the disk: which content may be there after a power cut, and which may not. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../process/coordination/random.ts';
import { Disk } from './disk.ts';
import type { Change, Step, Sync } from './trace.ts';

type Line = Change | Omit<Sync, 'entered'>;

const SECTOR = 512;

describe('a file', () => {
  it('has what was written before its sync, and perhaps what was written after it', () => {
    expect(
      contents(create('a'), synced(''), write('a', 0, 'one'), synced('a'), write('a', 3, 'two')),
    ).toEqual(['one', 'one___', 'onetwo']);
  });

  it('is torn at sectors, in any order', () => {
    const old = [create('a'), synced(''), write('a', 0, `${sector('a')}${sector('b')}`), synced('a')];
    const next = write('a', 0, `${sector('A')}${sector('B')}`);
    expect(contents(...old, next).map((text) => text.charAt(0) + text.charAt(SECTOR))).toEqual([
      'AB',
      'Ab',
      'aB',
      'ab',
    ]);
    expect(contents(...old, next).every((text) => /^(a+|A+)(b+|B+)$/.test(text))).toBe(true);
  });

  it('may have the earlier of two writes to a sector, the later, or none', () => {
    const once = [create('a'), synced(''), write('a', 0, '1'), synced('a')];
    expect(contents(...once, write('a', 0, '2'), write('a', 0, '3'))).toEqual(['1', '2', '3']);
  });

  it('keeps its old end or loses it, if it became shorter', () => {
    const old = [create('a'), synced(''), write('a', 0, 'old end'), synced('a')];
    const cut: Line = { type: 'resize', path: 'a', size: 3 };
    expect(contents(...old, cut)).toEqual(['old', 'old end']);
    // What is written there later does not come with the old end.
    expect(contents(...old, cut, write('a', 3, ' new'))).toEqual(['old', 'old end', 'old new', 'old____']);
  });

  it('has arbitrary bytes if its memory is shared', () => {
    const images = imagesOf([
      create('a'),
      synced(''),
      write('a', 0, 'shm'),
      { type: 'map', path: 'a' },
      synced('a'),
    ]);
    expect(new Set(images.map((image) => image.get('a')))).toEqual(new Set(['???']));
  });

  it('is not covered by a sync that began before the write had returned', () => {
    const disk = new Disk();
    const steps: Step[] = [
      { type: 'create', path: 'a', left: 1 },
      { type: 'sync', path: '', by: 'workerd', entered: 2, left: 3 },
      { type: 'write', path: 'a', offset: 0, data: Buffer.from('late'), left: 5 },
      { type: 'sync', path: 'a', by: 'workerd', entered: 4, left: 6 },
    ];
    for (const step of steps) disk.apply(step);
    expect(textOf(disk, () => false).get('a')).toBe('');
  });
});

describe('a name', () => {
  it('is there after a sync of its folder, and perhaps without', () => {
    const made = [create('a'), write('a', 0, 'text'), synced('a')];
    expect(contents(...made)).toEqual([NONE, 'text']);
    expect(contents(...made, synced(''))).toEqual(['text']);
  });

  it('may be that of a file that was removed, until its folder is synced', () => {
    const removed: Line[] = [
      create('a'),
      write('a', 0, 'old'),
      synced('a'),
      synced(''),
      { type: 'remove', path: 'a' },
    ];
    expect(contents(...removed)).toEqual([NONE, 'old']);
    expect(contents(...removed, synced(''))).toEqual([NONE]);
    expect(contents(...removed, create('a'), write('a', 0, 'new'), synced('a'))).toEqual([
      NONE,
      'new',
      'old',
    ]);
  });

  it('goes with its folder', () => {
    const inside: Line[] = [{ type: 'folder', path: 'f' }, create('f/a'), synced('f/a'), synced('f')];
    expect(new Set(imagesOf(inside).map((image) => [...image.keys()].join()))).toEqual(
      new Set(['', 'f,f/a']),
    );
  });

  it('is changed as a whole', () => {
    const old = [create('a'), write('a', 0, 'text'), synced('a'), synced('')];
    const images = imagesOf([...old, { type: 'rename', path: 'a', to: 'b' }]);
    expect(new Set(images.map((image) => [...image.keys()].join()))).toEqual(new Set(['a', 'b']));
  });
});

function create(path: string): Line {
  return { type: 'create', path };
}

function write(path: string, offset: number, text: string): Line {
  return { type: 'write', path, offset, data: Buffer.from(text) };
}

function synced(path: string): Line {
  return { type: 'sync', path, by: 'workerd' };
}

function sector(letter: string): string {
  return letter.repeat(SECTOR);
}

/** How many power cuts are tried, with all, nothing or half of what was not synced. */
const CUTS = 60;

/** What files contain after power cuts. */
function imagesOf(lines: readonly Line[]): ReadonlyMap<string, string | undefined>[] {
  const disk = new Disk();
  for (const [left, line] of lines.entries()) {
    disk.apply(line.type === 'sync' ? { ...line, entered: left, left } : { ...line, left });
  }
  const random = new Random(1);
  return Array.from({ length: CUTS }, (_, i) => textOf(disk, () => random.chance([0, 0.5, 1][i % 3] ?? 0)));
}

/** Zeros are shown as `_`. */
function textOf(disk: Disk, luck: () => boolean): ReadonlyMap<string, string | undefined> {
  const image = disk.afterCut(
    () => luck,
    (size) => Buffer.alloc(size, '?'),
  );
  return new Map([...image].map(([path, content]) => [path, content?.toString().replaceAll('\0', '_')]));
}

const NONE = '(none)';

/** Each different content that the file `a` has after power cuts, sorted; `NONE` if it is not there. */
function contents(...lines: readonly Line[]): string[] {
  return [...new Set(imagesOf(lines).map((image) => image.get('a') ?? NONE))].sort();
}
