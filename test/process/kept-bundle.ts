/** esbuild's functions as `src/cli/bundle.ts` calls them, answered with the bundle that esbuild has made before. */
import { copyFile } from 'node:fs/promises';

interface Options {
  readonly entryPoints: readonly string[];
  readonly outfile: string;
}

/** Copies the bundle of the service. @throws if another one is asked for. */
export async function build({ entryPoints, outfile }: Options): Promise<void> {
  if (entryPoints.join() !== 'src/index.ts') throw new Error(`${entryPoints.join()} was not bundled before`);
  const { BUNDLED_WORKER } = process.env;
  if (BUNDLED_WORKER === undefined) throw new Error('BUNDLED_WORKER is not set');
  await copyFile(BUNDLED_WORKER, outfile);
}

/** Of files for clients, which the bundle has already. */
export async function transform(): Promise<never> {
  throw new Error('nothing is bundled');
}

export async function stop(): Promise<void> {}
