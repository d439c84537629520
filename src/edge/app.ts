import { Hono } from 'hono';
import { refuse } from '../refusal.ts';
import { checkSetUp } from './admission.ts';
import type { AppEnv, Env } from './env.ts';
import { mount } from './mount.ts';
import { corsFor } from './origin.ts';
import type { Resources } from './resource.ts';
import { problem } from './responses.ts';
import { chart } from './routes/chart-file.ts';
import { claims } from './routes/claims.ts';
import { diagramMermaid, diagramSvg } from './routes/drawings.ts';
import { preReboot, steadyState } from './routes/fleetlock.ts';
import { health } from './routes/health.ts';
import { history } from './routes/history.ts';
import { tenant } from './routes/machines.tsx';
import { metrics } from './routes/metrics.ts';
import { openApiResources } from './routes/openapi.tsx';
import { pageScript, pageStyle } from './routes/page-files.ts';
import { reset } from './routes/reset.ts';
import { schemaDocument } from './routes/schema.ts';
import { state } from './routes/state.ts';
import { machine } from './routes/status.tsx';
import { watch } from './routes/watch.ts';

/** All resources of the service. */
export const RESOURCES: Resources = {
  service: [health, schemaDocument, pageScript, pageStyle, ...openApiResources(() => RESOURCES)],
  tenant,
  machine: [
    state,
    machine,
    chart,
    history,
    watch,
    claims,
    reset,
    diagramSvg,
    diagramMermaid,
    metrics,
    preReboot,
    steadyState,
  ],
};

/** The HTTP app: each route parses, calls one object and renders. */
export const app = new Hono<AppEnv>();

mount(app, RESOURCES);

app.onError((error, c) => {
  // The platform marks its own errors: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
  if (isPlatformTrouble(error)) {
    return problem(refuse('overloaded', 'The machine has more requests than it can answer; try again.'), {
      'Retry-After': '1',
    });
  }
  console.error(`${c.req.method} ${c.req.path} failed`, error);
  return problem(refuse('internal-error', 'The fault is logged. The request may have been counted, or not.'));
});

/** The app with CORS. */
const shared = new Hono<AppEnv>();
shared.use((c, next) => corsFor(c.env.CORS_ORIGINS ?? '')(c, next));
shared.all('*', (c) => app.fetch(c.req.raw, c.env));

/** Answers a request. CORS runs only if it is configured, because each middleware slows every request. */
export function answer(request: Request, env: Env): Response | Promise<Response> {
  const isShared =
    Boolean(env.CORS_ORIGINS) && !request.headers.has('Upgrade') && checkSetUp(request, env) === undefined;
  return (isShared ? shared : app).fetch(request, env);
}

/** Whether the platform threw because the Durable Object is overloaded, was moved or was restarted. */
function isPlatformTrouble(error: Error): boolean {
  return (
    ('overloaded' in error && error.overloaded === true) || ('retryable' in error && error.retryable === true)
  );
}
