import type { Child } from 'hono/jsx';
import { parseObjectName } from '../address.ts';
import type { Rights } from './action.tsx';
import { Viewer } from './sign-in.tsx';

export interface ChartHeaderProps {
  readonly title: string;
  /** The machine's address. */
  readonly name: string;
  /** The machine's path without a slash at its end; empty for the `default` machine. */
  readonly path: string;
  readonly rights: Rights;
  readonly viewer?: { readonly sub: string; readonly by?: string };
  readonly isInSession?: boolean;
  readonly children?: Child;
}

/** The header of the pages of a chart. */
export function ChartHeader(props: ChartHeaderProps) {
  const { title, name, path, rights, viewer, isInSession = false, children } = props;
  const { tenant, chart, run } = parseObjectName(name);
  const base = tenant === undefined ? '' : `/${tenant}/${chart}`;
  return (
    <header>
      <h1>{title}</h1>
      <nav aria-label="Machine">
        <a href={path || '/'}>machine</a>
        {tenant === undefined ? null : <a href={`/${tenant}`}>machines of {tenant}</a>}
        <a href={`${path}/chart`}>chart</a>
        {rights.admin ? (
          <a href={`${base}/chart/edit`}>{run === undefined ? 'edit' : 'edit its chart'}</a>
        ) : null}
        <a href={`${path}/chart?raw=true`}>YAML</a>
        <a href={`${path}/members`}>members</a>
        <a href={`${path}/history`}>history</a>
        <a href="/openapi">API</a>
      </nav>
      {viewer === undefined ? null : <Viewer sub={viewer.sub} isInSession={isInSession} />}
      {children}
    </header>
  );
}
