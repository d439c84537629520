import { HonoBase } from 'hono/hono-base';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { faultOf } from '../objects/faults.ts';
import { checkSetUp } from './admission.ts';
import { withRefusalsAsPages } from './browsers.tsx';
import type { AppEnv, Env } from './env.ts';
import { mount } from './mount.ts';
import { corsFor } from './origin.ts';
import { loggedPath } from './request-log.ts';
import type { Resources } from './resource.ts';
import { problem } from './responses.ts';
import { inputs } from './routes/change-inputs.ts';
import { chartEdit } from './routes/chart-edit.tsx';
import { chart } from './routes/chart-file.ts';
import { schemaDocument } from './routes/chart-schema.ts';
import { chartStart } from './routes/chart-start.tsx';
import { claims } from './routes/claims.ts';
import { diagramMermaid, diagramSvg, timelineSvg } from './routes/drawings.ts';
import { preReboot, steadyState } from './routes/fleetlock.ts';
import { health } from './routes/health.ts';
import { history } from './routes/history.tsx';
import { link, links } from './routes/links.tsx';
import { tenant } from './routes/machines.tsx';
import { member, members } from './routes/members.ts';
import { metrics } from './routes/metrics.ts';
import { notification, notifications } from './routes/notifications.tsx';
import { openApiResources } from './routes/openapi.tsx';
import { override } from './routes/override.ts';
import { favicon, pageScript, pageStyle } from './routes/page-files.ts';
import { pause, resume } from './routes/pause-resume.ts';
import { reports } from './routes/reports.ts';
import { reset } from './routes/reset.ts';
import { restore } from './routes/restore.tsx';
import { signIn, signOut } from './routes/session.tsx';
import { start } from './routes/start.ts';
import { askByPost, reportByPost, state } from './routes/state.ts';
import { machine } from './routes/status.tsx';
import { tenantMetrics } from './routes/tenant-metrics.ts';
import { turnScript } from './routes/turn-script.ts';
import { watch } from './routes/watch.ts';

/** All resources of the service. */
export const RESOURCES: Resources = {
  service: [
    health,
    turnScript,
    schemaDocument,
    pageScript,
    pageStyle,
    favicon,
    signIn,
    signOut,
    ...openApiResources(() => RESOURCES),
  ],
  tenant: [tenant, tenantMetrics],
  machine: [
    state,
    askByPost,
    reportByPost,
    machine,
    chart,
    chartEdit,
    chartStart,
    history,
    reports,
    members,
    member,
    watch,
    claims,
    start,
    inputs,
    pause,
    resume,
    override,
    links,
    link,
    notifications,
    notification,
    reset,
    restore,
    diagramSvg,
    diagramMermaid,
    timelineSvg,
    metrics,
    preReboot,
    steadyState,
  ],
};

/** The HTTP app: each route parses, calls one object and renders. */
export const app = honoApp();

mount(app, RESOURCES);

app.onError((error, c) => problem(faultOf(error, `${c.req.method} ${loggedPath(c)}`)));

/** The app for browsers: a refusal is a page. */
const pages = honoApp();
pages.all('*', async (c) => withRefusalsAsPages(c, await app.fetch(c.req.raw, c.env)));

function appFor({ headers }: Request): typeof app {
  return headers.get('Accept')?.includes('text/html') ? pages : app;
}

/** The app with CORS. */
const shared = honoApp();
shared.use((c, next) => corsFor(c.env.CORS_ORIGINS ?? '')(c, next));
shared.all('*', (c) => appFor(c.req.raw).fetch(c.req.raw, c.env));

/** An app with one router: hono's own has a second one, for paths that `mount.ts` has none of. */
function honoApp(): HonoBase<AppEnv> {
  return new HonoBase<AppEnv>({ router: new RegExpRouter() });
}

/** Answers a request. CORS runs only if it is configured, because each middleware slows every request. */
export function answer(request: Request, env: Env): Response | Promise<Response> {
  const isShared =
    Boolean(env.CORS_ORIGINS) && !request.headers.has('Upgrade') && checkSetUp(request, env) === undefined;
  return (isShared ? shared : appFor(request)).fetch(request, env);
}
