/**
 * `npm run bench:far`: edges in one process, their objects in another, and a delay between them. Absolute figures, in ms: the
 * distance is most of them.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { presentVersion, startAway } from '../process/far/away.ts';
import { COUNTING, TURNING } from '../process/far/charts.ts';
import { figuresOf } from './far-figures.ts';

const USAGE = `node test/bench/far.ts [--distances MS,MS…] [--edges N,N…] [--waits N]

  --distances MS,MS…   round trips between the edges and the object (1,20,50,150)
  --edges N,N…         how many edges there are (1,20)
  --waits N            how many requests wait for one state (9500: workerd has two descriptors for each)
`;

/** What is measured at one distance, with so many edges. */
interface Figures {
  readonly edges: number;
  /** A round trip, ms. */
  readonly distance: number;
  readonly [figure: string]: number | string;
}

const flags = readFlags();
const cache = join(PACKAGE_ROOT, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'stateservice-far-'));
const rows: Figures[] = [];
try {
  const version = await presentVersion(folder);
  const charts = { 'far/drain': COUNTING, 'far/turn': TURNING };
  for (const edges of flags.edges) {
    const into = join(folder, String(edges));
    const away = await startAway({ folder: into, charts, edge: version, objects: version, edges });
    try {
      for (const distance of flags.distances) {
        console.error(`${edges} edges, ${distance} ms away`);
        away.link.delay = distance / 2;
        const figures = await figuresOf(away, distance, flags.waits, () => away.deploy(version));
        console.error(JSON.stringify(figures));
        rows.push({ edges, distance, ...figures });
      }
    } finally {
      await away.stop();
    }
  }
  console.table(rows);
} finally {
  await rm(folder, { recursive: true, force: true });
}
// esbuild's service would keep the process.
process.exit();

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        distances: { type: 'string', default: '1,20,50,150' },
        edges: { type: 'string', default: '1,20' },
        waits: { type: 'string', default: '9500' },
      },
    });
    return {
      distances: numbers(values.distances),
      edges: numbers(values.edges),
      waits: Number(values.waits),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

function numbers(list: string): number[] {
  return list.split(',').map((text) => {
    if (!(Number(text) > 0)) throw new RangeError(`a list of numbers was expected, and not ${list}`);
    return Number(text);
  });
}
