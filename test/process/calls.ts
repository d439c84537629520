/** Requests to every operation of the service, with good and with bad input. */
import { runCli } from './server.ts';

/** Of the server that asks for tokens. */
export const SECRET = 'a secret that only the tests know of';

/** The chart at `/acme/release`, and of the service itself. */
export const TURNS = `current_state: a
states:
  - {name: a, func: increment, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: 2}}}
  - {name: b}
`;

/** The chart at `/acme/patch`, which some calls upload. */
export const SLOTS = `initial: work
states:
  work: {slots: 1, lease: 15m, on: {update: {target: over, quorum: 9}, fail: over}}
  over: {type: final}
`;

/** A request, and the answer that is expected. */
export interface Call {
  readonly id: string;
  readonly status: number;
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The token; undefined for the open service. */
  readonly token?: 'none' | 'read' | 'admin';
}

const FLEETLOCK = { 'fleet-lock-protocol': 'true' };
const node = (group: string) => JSON.stringify({ client_params: { id: 'node-1', group } });

/** In order: each request leaves the machines as the next one needs them. */
export const CALLS: readonly Call[] = [
  { id: 'health', status: 200, request: 'GET /healthz' },
  { id: 'turnScript', status: 200, request: 'GET /turn.sh' },
  { id: 'openApi', status: 200, request: 'GET /openapi.json' },
  { id: 'operations', status: 200, request: 'GET /openapi' },
  { id: 'chartSchema', status: 200, request: 'GET /schema.json' },
  { id: 'pageScript', status: 200, request: 'GET /page.js' },
  { id: 'pageStyle', status: 200, request: 'GET /page.css' },
  { id: 'favicon', status: 200, request: 'GET /favicon.ico' },
  { id: 'signInForm', status: 200, request: 'GET /signin?to=/acme' },
  { id: 'signIn', status: 303, request: 'POST /signin', body: 'token=x&to=/acme' },
  { id: 'signIn', status: 413, request: 'POST /signin', body: 'x'.repeat(20_000) },
  { id: 'signOutForm', status: 200, request: 'GET /signout' },
  { id: 'signOut', status: 303, request: 'POST /signout' },
  ...['', 'OfDefault'].flatMap((of): readonly Call[] => {
    const at = of === '' ? '/acme/release' : '';
    const root = at || '/';
    return [
      { id: `isCurrent${of}`, status: 200, request: `GET ${at}/state?state=a` },
      { id: `isCurrent${of}`, status: 406, request: `GET ${at}/state?state=b` },
      { id: `isCurrent${of}`, status: 406, request: `GET ${at}/state` },
      { id: `isCurrent${of}`, status: 400, request: `GET ${at}/state?state=b&wait=1y` },
      { id: `update${of}`, status: 500, request: `PUT ${at}/state` },
      { id: `update${of}`, status: 406, request: `PUT ${at}/state?state=b` },
      { id: `update${of}`, status: 400, request: `PUT ${at}/state?state=a&event=xstate.init` },
      { id: `update${of}`, status: 400, request: `PUT ${at}/state?state=a`, body: 'a=b' },
      { id: `update${of}`, status: 413, request: `PUT ${at}/state?state=a`, body: '1'.repeat(5_000) },
      {
        id: `update${of}`,
        status: 412,
        request: `PUT ${at}/state?state=a`,
        headers: { 'If-Match': '"99"' },
      },
      {
        id: `update${of}`,
        status: 200,
        request: `PUT ${at}/state?state=a`,
        headers: { 'Idempotency-Key': 'k' },
        body: '{"errors": 0}',
      },
      {
        id: `update${of}`,
        status: 422,
        request: `PUT ${at}/state?state=b`,
        headers: { 'Idempotency-Key': 'k' },
      },
      { id: `status${of}`, status: 200, request: `GET ${root}` },
      { id: `status${of}`, status: 200, request: `GET ${root}`, headers: { Accept: 'text/html' } },
      { id: `status${of}`, status: 304, request: `GET ${root}`, headers: { 'If-None-Match': '"2"' } },
      { id: `chart${of}`, status: 200, request: `GET ${at}/chart` },
      { id: `chart${of}`, status: 200, request: `GET ${at}/chart`, headers: { Accept: 'text/html' } },
      { id: `history${of}`, status: 200, request: `GET ${at}/history` },
      {
        id: `history${of}`,
        status: 200,
        request: `GET ${at}/history`,
        headers: { Accept: 'application/x-ndjson' },
      },
      { id: `history${of}`, status: 400, request: `GET ${at}/history?limit=0` },
      { id: `reports${of}`, status: 200, request: `GET ${at}/reports?state=a` },
      { id: `reports${of}`, status: 400, request: `GET ${at}/reports` },
      { id: `reports${of}`, status: 406, request: `GET ${at}/reports?state=x` },
      { id: `watch${of}`, status: 200, request: `GET ${at}/watch` },
      { id: `watch${of}`, status: 400, request: `GET ${at}/watch`, headers: { 'Last-Event-ID': 'x' } },
      { id: `diagram${of}`, status: 200, request: `GET ${at}/diagram.svg` },
      { id: `diagramText${of}`, status: 200, request: `GET ${at}/diagram.mmd` },
      { id: `timeline${of}`, status: 200, request: `GET ${at}/timeline.svg` },
      { id: `metrics${of}`, status: 200, request: `GET ${at}/metrics` },
      { id: `upload${of}`, status: 409, request: `PUT ${at}/chart`, body: SLOTS },
      { id: `upload${of}`, status: 422, request: `PUT ${at}/chart`, body: 'initial: x' },
      { id: `upload${of}`, status: 413, request: `PUT ${at}/chart`, body: ' '.repeat(2_000_000) },
      { id: `upload${of}`, status: 200, request: `PUT ${at}/chart?reset=true`, body: SLOTS },
      { id: `editChart${of}`, status: 200, request: `GET ${at}/chart/edit` },
      { id: `uploadByForm${of}`, status: 422, request: `POST ${at}/chart/edit`, body: 'text=x' },
      {
        id: `uploadByForm${of}`,
        status: 200,
        request: `POST ${at}/chart/edit`,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: String(new URLSearchParams({ check: 'true', text: SLOTS })),
      },
      { id: `uploadByForm${of}`, status: 303, request: `POST ${at}/chart/edit`, body: `text=${SLOTS}` },
      { id: `startForm${of}`, status: at === '' ? 400 : 200, request: `GET ${at}/chart/start` },
      {
        id: `startByForm${of}`,
        status: at === '' ? 400 : 303,
        request: `POST ${at}/chart/start`,
        body: 'run=1',
      },
      { id: `claim${of}`, status: 400, request: `POST ${at}/claims?state=work` },
      { id: `claim${of}`, status: 200, request: `POST ${at}/claims?state=work&by=w` },
      { id: `claim${of}`, status: 406, request: `POST ${at}/claims?state=work&by=v` },
      { id: `claim${of}`, status: 200, request: `POST ${at}/claims?state=work&by=w&renew=true` },
      { id: `update${of}`, status: 406, request: `PUT ${at}/state?state=work&by=v` },
      { id: `release${of}`, status: 204, request: `DELETE ${at}/claims?state=work&by=w` },
      {
        id: `preReboot${of}`,
        status: 200,
        request: `POST ${at}/v1/pre-reboot`,
        headers: FLEETLOCK,
        body: node('work'),
      },
      { id: `preReboot${of}`, status: 400, request: `POST ${at}/v1/pre-reboot`, body: node('work') },
      {
        id: `preReboot${of}`,
        status: 406,
        request: `POST ${at}/v1/pre-reboot`,
        headers: FLEETLOCK,
        body: node('over'),
      },
      {
        id: `steadyState${of}`,
        status: 200,
        request: `POST ${at}/v1/steady-state`,
        headers: FLEETLOCK,
        body: node('work'),
      },
      {
        id: `isCurrent${of}`,
        status: 401,
        request: `GET ${at}/state?state=a`,
        token: 'none',
      },
      { id: `members${of}`, status: 200, request: `GET ${at}/members` },
      { id: `setMembers${of}`, status: 422, request: `PUT ${at}/members`, body: 'w w' },
      { id: `setMembers${of}`, status: 200, request: `PUT ${at}/members`, body: 'w zone=eu\nv\n' },
      { id: `changeMembersByForm${of}`, status: 422, request: `POST ${at}/members`, body: 'text=w+w' },
      { id: `changeMembersByForm${of}`, status: 303, request: `POST ${at}/members`, body: 'text=w%0Av' },
      { id: `members${of}`, status: 200, request: `GET ${at}/members`, headers: { Accept: 'text/html' } },
      { id: `strikeMember${of}`, status: 404, request: `DELETE ${at}/members/x` },
      { id: `strikeMember${of}`, status: 200, request: `DELETE ${at}/members/v` },
      { id: `deleteMembers${of}`, status: 204, request: `DELETE ${at}/members` },
      { id: `start${of}`, status: 204, request: `POST ${at}/start` },
      { id: `setInputs${of}`, status: 422, request: `PATCH ${at}/inputs?batch=2` },
      { id: `ask${of}`, status: 406, request: `POST ${at}/ask?state=nothing` },
      { id: `report${of}`, status: 406, request: `POST ${at}/report?state=nothing`, body: '{}' },
      { id: `pause${of}`, status: 204, request: `POST ${at}/pause?reason=look&until=1h` },
      { id: `resume${of}`, status: 204, request: `POST ${at}/resume` },
      { id: `linkForm${of}`, status: 200, request: `GET ${at}/links` },
      { id: `makeLink${of}`, status: 400, request: `POST ${at}/links?state=work` },
      { id: `makeLink${of}`, status: 406, request: `POST ${at}/links?state=over&by=anna` },
      { id: `makeLink${of}`, status: 201, request: `POST ${at}/links?state=work&by=anna&event=fail` },
      {
        id: `makeLink${of}`,
        status: 201,
        request: `POST ${at}/links?state=work&by=anna&event=fail`,
        headers: { Accept: 'text/plain' },
      },
      { id: `showLink${of}`, status: 404, request: `GET ${at}/links/none` },
      { id: `useLink${of}`, status: 404, request: `POST ${at}/links/none` },
      { id: `showLink${of}`, status: 200, request: `GET ${at}/links/LAST` },
      { id: `useLink${of}`, status: 200, request: `POST ${at}/links/LAST` },
      { id: `showLink${of}`, status: 404, request: `GET ${at}/links/none`, token: 'none' },
      { id: `override${of}`, status: 204, request: `POST ${at}/override?to=work&reason=look` },
      { id: `notifications${of}`, status: 200, request: `GET ${at}/notifications` },
      { id: `resend${of}`, status: 404, request: `POST ${at}/notifications/1` },
      { id: `reset${of}`, status: 403, request: `POST ${at}/reset`, token: 'read' },
      { id: `reset${of}`, status: 204, request: `POST ${at}/reset` },
      { id: `restoreForm${of}`, status: 200, request: `GET ${at}/restore` },
      { id: `restore${of}`, status: 400, request: `POST ${at}/restore?at=tomorrow` },
      { id: `restore${of}`, status: 501, request: `POST ${at}/restore?at=${new Date().toISOString()}` },
      { id: `erase${of}`, status: 204, request: `DELETE ${root}` },
      { id: `erase${of}`, status: 404, request: `DELETE ${root}` },
      { id: `upload${of}`, status: 201, request: `PUT ${at}/chart`, body: SLOTS },
    ];
  }),
  { id: 'machines', status: 200, request: 'GET /acme' },
  { id: 'machines', status: 200, request: 'GET /acme', headers: { Accept: 'text/html' } },
  { id: 'machines', status: 400, request: 'GET /acme?limit=0' },
  { id: 'machines', status: 403, request: 'GET /other', token: 'read' },
  { id: 'tenantMetrics', status: 200, request: 'GET /acme/metrics' },
  { id: 'tenantMetrics', status: 400, request: 'GET /acme/metrics?limit=0' },
  { id: 'isCurrent', status: 404, request: 'GET /nobody/nothing/state?state=a' },
  { id: 'isCurrent', status: 400, request: 'GET /nobody/-/state?state=a' },
];

/** @returns the header of a call. */
export async function authorization(token: Call['token']): Promise<Record<string, string>> {
  if (token === undefined || token === 'none') return {};
  const flags = ['--charts', 'acme/*,default', '--can', token, '--sub', 'tester', '--ttl', '1h'];
  const { stdout } = await runCli(['token', ...flags], { TOKEN_SECRET: SECRET });
  return { Authorization: `Bearer ${stdout.trim()}` };
}
