/** What browsers see of a chart: its page, and the result of a check. */
import type { Context } from 'hono';
import type { Upload } from '../../commands.ts';
import type { Sources } from '../../objects/chart-results.ts';
import { statusOf } from '../../refusal.ts';
import { inSlice, nextSlice } from '../../slices.ts';
import { type ChartCheckProps, CheckPage } from '../../view/chart-check.tsx';
import { ChartPage } from '../../view/chart-page.tsx';
import { editTitle } from '../../view/edit-page.tsx';
import { type Block, diffLines } from '../../view/line-diff.ts';
import type { AppEnv } from '../env.ts';
import { drawingOf, pictureOf } from '../pictures.ts';
import { pathOf, readerOf } from '../reader.ts';
import type { RemoteMachine } from '../remote-machine.ts';
import { etag, page, problem } from '../responses.ts';

/** Shows the chart of a machine. As any question, it begins a chart's own machine, if it can begin. */
export async function showChart(c: Context<AppEnv>, machine: RemoteMachine): Promise<Response> {
  const view = await machine.read({ type: 'view' });
  // A chart whose inputs must be given has no machine yet, and a page all the same.
  if (!view.ok && view.code !== 'needs-inputs') return problem(view);
  const sources = await machine.read({ type: 'sources' });
  if (!sources.ok) return problem(sources);
  const { newest, revision } = sources;
  const { address, name } = machine;
  const picture = view.ok ? await pictureOf(machine, view, {}, 'page') : undefined;
  const drawn = picture
    ? picture.ok && picture.drawing.svg
    : newest?.definition && (await drawingOf(newest.definition, name, newest.hash));
  const difference = await differenceOf(sources);
  const markup = (
    <ChartPage
      name={name}
      path={pathOf(address, name)}
      sources={sources}
      {...(difference === undefined ? {} : { difference })}
      {...(drawn ? { picture: drawn } : {})}
      {...readerOf(c, address)}
    />
  );
  return page(String(markup), { ETag: etag(revision) });
}

/** Compares the newest chart with the machine's own, in a slice of its own: the meanest pair takes 35 ms. */
async function differenceOf({ own, newest }: Sources): Promise<readonly Block[] | undefined> {
  if (own === undefined || newest === undefined || own.hash === newest.hash) return undefined;
  const [before, after] = [own.beginning, newest.text];
  const units = (before.length + after.length) * UNITS_OF_DIFFERENCE;
  const blocks = await inSlice(
    () => diffLines(before, after),
    () => units,
  );
  // The page is written in another.
  await nextSlice();
  return blocks;
}

/** The units (`slices.ts`) of comparing a character. */
const UNITS_OF_DIFFERENCE = 1 / 150;

/** Answers a dry run with a page: its issues, and the drawing. */
export async function showCheck(machine: RemoteMachine, upload: Upload): Promise<Response> {
  const { check, status, headers } = await checkOf(machine, upload);
  return page(String(<CheckPage title={editTitle(machine.name)} {...check} />), headers, status);
}

/** Checks a chart as its upload would. @returns what the form shows, and how the upload would be answered. */
export async function checkOf(machine: RemoteMachine, upload: Upload) {
  const tried = await machine.read({ type: 'dry-run', upload, isDrawn: true });
  if (!tried.ok) {
    const check: ChartCheckProps = { why: tried.detail, issues: tried.errors ?? [] };
    return { check, status: statusOf(tried.code), headers: {} };
  }
  const { definition, warnings, revision } = tried;
  const picture = definition === undefined ? undefined : await drawingOf(definition, machine.name);
  const check: ChartCheckProps = { issues: warnings, ...(picture === undefined ? {} : { picture }) };
  return { check, status: 200, headers: { ETag: etag(revision) } };
}
