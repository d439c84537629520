/** Ends a run with a table of all peers: what ran, what passed, and what did not run and why. */
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { found } from './fetched.ts';
import { NOT_PACKAGED, PEERS, type PeerName } from './peers.ts';

/** Set by a test that compares many cases: the report counts them in place of the test. */
declare module 'vitest' {
  interface TaskMeta {
    peerCases?: number;
    /** What the test has left out, and why. */
    peerLeftOut?: string;
  }
}

const COLUMNS = ['peer', 'version', 'tests', 'cases', 'passed', 'failed', 'skipped', 'why'] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], string | number>>;

export default class PeerReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = [
      ...(Object.keys(PEERS) as PeerName[]).map((name) => rowOf(name, modules)),
      ...NOT_PACKAGED.map(({ name, why }) => ({ ...NOTHING, peer: name, why: `skipped: ${why}` })),
    ];
    const widths = COLUMNS.map((column) =>
      Math.max(...[column, ...rows.map((row) => String(row[column]))].map(({ length }) => length)),
    );
    const line = (cells: readonly (string | number)[]) =>
      cells
        .map((cell, i) => String(cell).padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd();
    console.log(
      ['', line(COLUMNS), ...rows.map((row) => line(COLUMNS.map((column) => row[column])))].join('\n'),
    );
  }
}

const NOTHING: Row = {
  peer: '',
  version: '-',
  tests: 0,
  cases: 0,
  passed: 0,
  failed: 0,
  skipped: 0,
  why: '',
};

function rowOf(name: PeerName, modules: readonly TestModule[]): Row {
  const { name: peer, files } = PEERS[name];
  const { version = '-', lack } = found(name);
  const own = modules.filter(({ moduleId }) =>
    (files as readonly string[]).includes(relative(process.cwd(), moduleId)),
  );
  const tests = own.flatMap((module) => [...module.children.allTests()]);
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  // A file that fails before its tests has none that failed.
  const broken = own.filter((module) => module.state() === 'failed' && count('failed') === 0).length;
  const skipped = count('skipped');
  return {
    peer,
    version,
    tests: tests.length,
    cases: tests.reduce((sum, test) => sum + casesOf(test), 0),
    passed: count('passed'),
    failed: count('failed') + broken,
    skipped,
    why: lack === undefined ? notesOf(tests) : `skipped: ${lack}`,
  };
}

function casesOf(test: TestCase): number {
  return test.result().state === 'skipped' ? 0 : (test.meta().peerCases ?? 1);
}

/** Why single tests and cases were skipped. */
function notesOf(tests: readonly TestCase[]): string {
  const notes = tests.flatMap((test) => {
    const result = test.result();
    const { peerLeftOut } = test.meta();
    return [result.state === 'skipped' ? result.note : undefined, peerLeftOut].filter(
      (note) => note !== undefined,
    );
  });
  return [...new Set(notes)].join('; ');
}
