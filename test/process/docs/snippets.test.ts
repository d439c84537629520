/** Checks the programs, the configuration and the charts of the documentation. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { fileOf } from '../charts.ts';
import { recipe, run } from '../recipes/recipe.ts';
import { cleanUp, runCli } from '../server.ts';
import { BLOCKS, PACKAGE, PAGES } from './pages.ts';
import { workingCopy } from './session.ts';

/** Blocks of a language, without those of writing-charts.md: test/docs.test.ts runs these. */
function inLanguage(language: string) {
  return BLOCKS.filter((block) => block.language === language && block.page !== 'docs/writing-charts.md');
}

afterAll(cleanUp);

it('uses only languages that a test reads', () => {
  expect([...new Set(BLOCKS.map(({ language }) => language))].toSorted()).toEqual([
    'console', // commands.test.ts
    'http', // test/docs.test.ts
    'mermaid', // links.test.ts
    'ruby',
    'sh', // commands.test.ts
    'toml',
    'ts',
    'yaml',
  ]);
  expect(inLanguage('http')).toEqual([]);
});

describe('a program', () => {
  /** Declarations around a program, by its heading. */
  const AROUND: Readonly<Record<string, string>> = {
    'A chart as a binding': `import type { ChartBinding } from '../src/index.ts';
      declare const env: { RELEASE: Service<typeof ChartBinding> };`,
    'From a program': `import { StateClient } from '../src/client.ts';
      declare const token: string, hostname: string;`,
  };

  /** Programs with a name that does not exist. */
  const WRONG: Readonly<Record<string, string>> = {
    'A chart as a binding': "await env.RELEASE.isCurrent('canary');",
    'From a program': "new StateClient({ url: 'https://a', secret: token });",
  };

  // One run of the compiler for all programs: each takes some seconds.
  let errors: readonly string[];
  beforeAll(async () => {
    const folder = join(await workingCopy(), 'snippets');
    const write = (file: string, heading: string, text = '') =>
      writeFile(join(folder, file), `${AROUND[heading]}\n${text}\nexport {};\n`);
    await mkdir(folder);
    const config = { extends: '../tsconfig.json', include: ['.', '../src/client-files.d.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    for (const { heading, line, text } of inLanguage('ts')) await write(`${line}.ts`, heading, text);
    for (const [heading, text] of Object.entries(WRONG)) await write(`wrong ${heading}.ts`, heading, text);
    const { stdout } = await run('npx', ['tsc', '--pretty', 'false', '-p', '.'], { cwd: folder });
    errors = stdout.trim().split('\n');
  });

  it('is shown under these headings', () => {
    expect(inLanguage('ts').map(({ heading }) => heading)).toEqual(Object.keys(AROUND));
  });

  it('has the right types on every page', () => {
    expect(errors.filter((error) => !error.startsWith('wrong '))).toEqual([]);
  });

  it.each([
    ['A chart as a binding', 'isCurrent'],
    ['From a program', 'secret'],
  ])('is reported if it is wrong: %s', (heading, why) => {
    const found = errors.filter((error) => error.startsWith(`wrong ${heading}.ts`));
    expect(found).toEqual([expect.stringContaining(`'${why}'`)]);
  });
});

it('binds a chart with the name of the Worker', async () => {
  const shown = inLanguage('toml');
  expect(shown.map(({ heading }) => heading)).toEqual(['A chart as a binding']);
  const { services } = parse(shown[0]?.text ?? '');
  const { name } = parse(await readFile(join(PACKAGE, 'wrangler.toml'), 'utf8'));
  expect(services).toEqual([
    {
      binding: 'RELEASE',
      service: name,
      entrypoint: 'ChartBinding',
      props: { chart: 'acme/release', can: ['read', 'update'], sub: 'builder' },
    },
  ]);
});

describe('a chart', () => {
  it.each(inLanguage('yaml'))('is accepted: $page, line $line', async ({ text }) => {
    expect(await runCli(['check', '--strict', await fileOf(text)])).toMatchObject({ code: 0, stderr: '' });
  });

  it('of the first session is charts/default.yaml', async () => {
    const [first] = inLanguage('yaml');
    const file = await readFile(join(PACKAGE, 'charts/default.yaml'), 'utf8');
    expect(parseYaml(first?.text ?? '')).toEqual(parseYaml(file));
  });
});

it('uses only properties that the resource of the cookbook has', async () => {
  const resource = await readFile(recipe('chef/resources/turn.rb'), 'utf8');
  const [{ text } = { text: '' }, ...more] = inLanguage('ruby');
  expect(more).toEqual([]);
  const given = Array.from(text.matchAll(/^ {2}(\w+) /gm), ([, property]) => property);
  expect(given).toEqual(['machine', 'command']);
  for (const property of given) expect(resource).toContain(`\nproperty :${property}, `);
});

it('names only npm scripts that exist', async () => {
  const { scripts } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
  const named = PAGES.flatMap(({ text }) =>
    Array.from(text.matchAll(/npm run (?:-s )?([\w:]+)/g), ([, name]) => name),
  );
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  expect(named.length).toBeGreaterThan(3);
});
