/** What the documentation shows beside commands: programs, configuration and charts are what they are said to be. */
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

/** Of a language; the charts and requests of writing-charts.md are those of test/docs.test.ts. */
function inLanguage(language: string) {
  return BLOCKS.filter((block) => block.language === language && block.page !== 'docs/writing-charts.md');
}

afterAll(cleanUp);

it('is in languages that a test reads', () => {
  expect([...new Set(BLOCKS.map(({ language }) => language))].toSorted()).toEqual([
    'console', // commands.test.ts
    'http', // test/docs.test.ts
    'ruby',
    'sh', // commands.test.ts
    'toml',
    'ts',
    'yaml',
  ]);
  expect(inLanguage('http')).toEqual([]);
});

describe('a program', () => {
  /** What is there where it stands, by the heading. */
  const AROUND: Readonly<Record<string, string>> = {
    'A chart as a binding': `import type { ChartBinding } from '../src/index.ts';
      declare const env: { RELEASE: Service<typeof ChartBinding> };`,
    'From a program': `import { StateClient } from '../src/client.ts';
      declare const token: string, hostname: string;`,
  };

  /** Each has a name that there is not. */
  const WRONG: Readonly<Record<string, string>> = {
    'A chart as a binding': "await env.RELEASE.isCurrent('canary');",
    'From a program': "new StateClient({ url: 'https://a', secret: token });",
  };

  // The compiler takes some seconds, for one program or for all.
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

  it('has the right types, all over the documentation', () => {
    expect(errors.filter((error) => !error.startsWith('wrong '))).toEqual([]);
  });

  it.each([
    ['A chart as a binding', 'isCurrent'],
    ['From a program', 'secret'],
  ])('is found out where it is wrong: %s', (heading, why) => {
    const found = errors.filter((error) => error.startsWith(`wrong ${heading}.ts`));
    expect(found).toEqual([expect.stringContaining(`'${why}'`)]);
  });
});

it('binds a chart by what the Worker has', async () => {
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

  it('is charts/default.yaml where it is said to be', async () => {
    const [first] = inLanguage('yaml');
    const file = await readFile(join(PACKAGE, 'charts/default.yaml'), 'utf8');
    expect(parseYaml(first?.text ?? '')).toEqual(parseYaml(file));
  });
});

it('gives the resource of the cookbook what it has', async () => {
  const resource = await readFile(recipe('chef/resources/turn.rb'), 'utf8');
  const [{ text } = { text: '' }, ...more] = inLanguage('ruby');
  expect(more).toEqual([]);
  const given = Array.from(text.matchAll(/^ {2}(\w+) /gm), ([, property]) => property);
  expect(given).toEqual(['machine', 'command']);
  for (const property of given) expect(resource).toContain(`\nproperty :${property}, `);
});

it('names no script of npm that is not there', async () => {
  const { scripts } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
  const named = PAGES.flatMap(({ text }) =>
    Array.from(text.matchAll(/npm run (?:-s )?([\w:]+)/g), ([, name]) => name),
  );
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  expect(named.length).toBeGreaterThan(3);
});
