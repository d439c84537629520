/** Qt's interpreter of SCXML, in a process of its own (driver.cpp). */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);

const Answer = z.union([
  z.object({ endless: z.literal(true) }),
  z.object({ configurations: z.array(z.array(z.string())), errors: z.array(z.string()) }),
]);
export type Answer = z.infer<typeof Answer>;

/** Compiles the driver with g++. @returns the program. */
export async function buildDriver(folder: string): Promise<string> {
  const program = join(folder, 'driver');
  const { stdout: flags } = await run('pkg-config', ['--cflags', '--libs', 'Qt6Scxml']);
  const source = join(import.meta.dirname, 'driver.cpp');
  await run('g++', ['-std=c++17', '-O1', '-fPIC', source, '-o', program, ...flags.trim().split(/\s+/)]);
  return program;
}

export class Interpreter {
  readonly #program: string;
  #process: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #lines: AsyncIterator<string> | undefined;

  constructor(program: string) {
    this.#program = program;
  }

  /** @returns the active states after the start and after each event, or that the chart never ends. */
  async run(scxml: string, events: readonly string[]): Promise<Answer> {
    if (this.#process === undefined || this.#lines === undefined) {
      // Its warnings say again what its answer says.
      this.#process = spawn(this.#program, { stdio: ['pipe', 'pipe', 'ignore'] });
      this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    }
    this.#process.stdin.write(`${JSON.stringify({ scxml, events })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`Qt crashed: ${scxml}`);
    const answer = Answer.parse(JSON.parse(value));
    if ('endless' in answer) this.stop();
    return answer;
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}
