/** The Worker of the last release, built when the first run needs it, for all runs of this process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRelease, hasRelease, LAST_RELEASE } from '../process/far/release.ts';

let folder: string | undefined;
let built: Promise<string | undefined> | undefined;

/** @returns the file of the bundled Worker; undefined if this clone does not have the commit of the release. */
export function releasedWorker(): Promise<string | undefined> {
  built ??= build();
  return built;
}

/** Removes what was built. */
export async function removeReleasedWorker(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
  built = undefined;
}

async function build(): Promise<string | undefined> {
  if (!(await hasRelease())) {
    console.warn(`deploys restart the present version: this clone has no commit ${LAST_RELEASE}`);
    return undefined;
  }
  folder = await mkdtemp(join(tmpdir(), 'stateservice-release-'));
  return (await buildRelease(folder)).worker;
}
