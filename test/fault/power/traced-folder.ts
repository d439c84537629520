/** A folder on which servers run one after the other, each of them traced. */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { folderOf } from '../../process/charts.ts';
import { type Server, startServer, temporaryFolder } from '../../process/server.ts';
import { straced } from './strace.ts';
import { type Step, stepsOf } from './trace.ts';

export class TracedFolder {
  readonly charts: string;
  /** The folder of the data folder, empty at first. */
  readonly root: string;
  readonly #traces: string;
  #servers = 0;

  private constructor(charts: string, root: string, traces: string) {
    this.charts = charts;
    this.root = root;
    this.#traces = traces;
  }

  /** @param charts by their files: `power/early.yaml` */
  static async make(charts: Readonly<Record<string, string>>): Promise<TracedFolder> {
    // As the trace has it, without symbolic links.
    const root = await realpath(await temporaryFolder());
    return new TracedFolder(await folderOf(charts), root, await temporaryFolder());
  }

  /** @param inject see `straced` */
  async start(inject?: string): Promise<Server> {
    const under = straced(this.#trace(this.#servers), inject);
    this.#servers += 1;
    return startServer({ charts: this.charts, data: join(this.root, 'data'), under });
  }

  /** What all servers did, after the last has ended. @throws see `stepsOf` */
  async steps(): Promise<Step[]> {
    const files = Array.from({ length: this.#servers }, (_, i) => this.#trace(i));
    return stepsOf(await Promise.all(files.map((file) => readFile(file, 'latin1'))), this.root);
  }

  #trace(server: number): string {
    return join(this.#traces, String(server));
  }
}
