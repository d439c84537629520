/** Charts for the tests of the command line, and folders of them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './server.ts';

/** Two machines drain; then the chart is done. */
export const SEQUENCE = `current_state: drain
states:
  - name: drain
    func: increment
    current: {key: machines, value: 0}
    target: {name: done, when: {key: machines, value: 2}}
  - name: done
`;

/** A timer leaves the first state after a second. */
export const STATECHART = `initial: waiting
states:
  waiting:
    after: {1s: over}
  over: {}
`;

/** Writes files, by path, into a new folder. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** Writes a chart into a file of a new folder. */
export async function fileOf(text: string | Uint8Array): Promise<string> {
  return join(await folderOf({ 'states.yaml': text }), 'states.yaml');
}
