/** Cuts the power at moments of a trace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../process/coordination/random.ts';
import { Disk, type Image } from './disk.ts';
import type { Luck } from './file.ts';
import type { Step } from './trace.ts';

export interface Cut {
  /** The index of the last step before the cut. */
  readonly after: number;
  readonly image: Image;
}

/**
 * Cuts the power at random moments. Half of the cuts come directly after an answer, and nothing that was not synced is on the
 * disk. The others come after any step, and it is there by chance.
 *
 * @returns the cuts, the earliest first
 */
export function* cutsOf(steps: readonly Step[], count: number, random: Random): Generator<Cut> {
  const answers = steps.flatMap(({ type }, index) => (type === 'answer' ? [index] : []));
  const moments = Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? { after: pick(answers, random), isBare: true }
      : { after: Math.floor(random.below(steps.length)), isBare: false },
  );
  moments.sort((a, b) => a.after - b.after);
  const disk = new Disk();
  let applied = 0;
  for (const { after, isBare } of moments) {
    for (const step of steps.slice(applied, after + 1)) disk.apply(step);
    applied = after + 1;
    yield { after, image: isBare ? bare(disk) : byChance(disk, random) };
  }
}

/** @returns what a cut after some steps leaves if nothing that was not synced is on the disk. */
export function bareImage(steps: readonly Step[]): Image {
  return bare(diskAfter(steps));
}

/** @returns what a cut after some steps leaves by chance. */
export function chanceImage(steps: readonly Step[], random: Random): Image {
  return byChance(diskAfter(steps), random);
}

function diskAfter(steps: readonly Step[]): Disk {
  const disk = new Disk();
  for (const step of steps) disk.apply(step);
  return disk;
}

export async function writeImage(image: Image, root: string): Promise<void> {
  for (const [path, content] of image) {
    if (content === null) await mkdir(join(root, path));
    else await writeFile(join(root, path), content);
  }
}

function bare(disk: Disk): Image {
  return disk.afterCut(
    () => () => false,
    (size) => Buffer.alloc(size),
  );
}

/** Of each file and folder all changes are on the disk, none, or each by chance. */
function byChance(disk: Disk, random: Random): Image {
  const luckOf = (): Luck => {
    const share = pick([0, 1, random.below(1)], random);
    return () => random.chance(share);
  };
  return disk.afterCut(luckOf, (size) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(Math.floor(random.below(2 ** 32)), i);
    return bytes;
  });
}

function pick<T>(all: readonly T[], random: Random): T {
  const found = all[Math.floor(random.below(all.length))];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}
