/**
 * The contract as sessions: requests to one machine, one after the other, each with the status that it is answered with.
 *
 * `versions.test.ts` runs them with edges and objects of different versions. A new route, command or query is one more
 * session: with `needs: 'object'` if an object of the last release does not know it (then it is answered 503,
 * `unsupported`), with `needs: 'edge'` if only its edge does not, with `needs: 'both'` if an older object answers otherwise.
 */

export interface Step {
  readonly method: string;
  /** With the machine's address. */
  readonly path: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sent while this request waits, or watches: what ends the wait, or is the first event. */
  readonly meanwhile?: Step;
}

export interface Session {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What of the last release does not know the requests of this session. */
  readonly needs?: 'edge' | 'object' | 'both';
}

/** Counts three reports. */
const SEQUENCE = `
current_state: drain
states:
  - name: drain
    func: increment
    current: { key: drained, value: 0 }
    target: { name: reboot, when: { key: drained, value: 3 } }
  - name: reboot
    func: increment
    current: { key: rebooted, value: 0 }
    target: { name: done, when: { key: rebooted, value: 1 } }
  - name: done
`;

/** Slots, a quorum, a timer, a guard and data. */
const STATECHART = `
initial: canary
context: { broken: 0 }
states:
  canary:
    tags: [busy]
    on:
      update: { target: fleet, quorum: 2 }
      failed: { actions: { assign: { broken: context.broken + 1 } } }
  fleet:
    slots: 1
    lease: 10m
    on:
      update: { target: settle, quorum: 2 }
      abort: { target: aborted, guard: context.broken > 0 }
  settle:
    after: { 200ms: done }
  aborted: { type: final }
  done: { type: final }
`;

/** The charts that both processes have, by their addresses. */
export const CHARTS: Readonly<Record<string, string>> = {
  default: SEQUENCE,
  'v/sequence': SEQUENCE,
  'v/chart': STATECHART,
  'newer/chart': STATECHART,
  'more/chart': STATECHART,
  'odd/chart': STATECHART,
};

type More = Pick<Step, 'headers' | 'body' | 'meanwhile'>;

/** @param request `GET /v/chart/state?state=canary` */
function step(request: string, status: number, more: More = {}): Step {
  const [method = '', path = ''] = request.split(' ');
  return { method, path, status, ...more };
}

const LOCK: More = {
  headers: { 'fleet-lock-protocol': 'true' },
  body: JSON.stringify({ client_params: { id: 'node-1', group: 'default' } }),
};

const JSON_BODY = { 'Content-Type': 'application/json' };

export const SESSIONS: readonly Session[] = [
  {
    name: 'a sequence at the root',
    steps: [
      step('GET /state?state=drain', 200),
      step('PUT /state?state=drain&by=web-01', 200),
      step('PUT /state?state=reboot', 406),
      step('GET /', 200),
      step('GET /chart', 200),
      step('GET /history', 200),
      step('POST /reset', 204),
    ],
  },
  {
    name: 'reports that count',
    steps: [
      step('GET /v/sequence/state?state=drain', 200),
      step('GET /v/sequence/state?state=reboot', 406),
      step('GET /v/sequence/state?state=none', 406),
      step('PUT /v/sequence/state?state=drain&by=web-01', 200),
      step('PUT /v/sequence/state?state=drain&by=web-01', 200),
      step('PUT /v/sequence/state?state=drain', 200, { headers: { 'Idempotency-Key': 'k1' } }),
      step('PUT /v/sequence/state?state=drain', 200, { headers: { 'Idempotency-Key': 'k1' } }),
      step('PUT /v/sequence/state?state=reboot', 422, { headers: { 'Idempotency-Key': 'k1' } }),
      step('PUT /v/sequence/state?state=drain', 412, { headers: { 'If-Match': '"99"' } }),
      step('GET /v/sequence', 200),
      step('GET /v/sequence', 304, { headers: { 'If-None-Match': '"3"' } }),
      step('PUT /v/sequence/state?state=drain', 200, { headers: { 'If-Match': 'W/"3"' } }),
      step('GET /v/sequence/state?state=drain', 406),
      step('GET /v/sequence/chart', 200),
      step('GET /v/sequence/history?limit=2', 200),
      step('GET /v/sequence/metrics', 200),
    ],
  },
  {
    name: 'runs of a statechart: quorum, slots, lease, timer',
    steps: [
      step('PUT /v/chart@1/state?state=canary&event=failed', 200),
      step('PUT /v/chart@1/state?state=canary&event=never', 406),
      step('PUT /v/chart@1/state?state=canary&by=web-01', 200),
      step('PUT /v/chart@1/state?state=canary&by=web-02', 200),
      step('PUT /v/chart@1/state?state=fleet&by=web-01', 406),
      step('POST /v/chart@1/claims?state=fleet&by=web-01', 200),
      step('POST /v/chart@1/claims?state=fleet&by=web-01', 200),
      step('POST /v/chart@1/claims?state=fleet&by=web-02', 406),
      step('GET /v/chart@1', 200),
      step('DELETE /v/chart@1/claims?state=fleet&by=web-01', 204),
      step('POST /v/chart@1/claims?state=fleet&by=web-02', 200),
      step('PUT /v/chart@1/state?state=fleet&by=web-02', 200),
      step('POST /v/chart@1/claims?state=fleet&by=web-01', 200),
      step('PUT /v/chart@1/state?state=fleet&by=web-01', 200),
      step('GET /v/chart@1/state?state=done&wait=5s', 200),
      step('GET /v/chart@1/state?state=fleet&wait=5s', 406),
      step('GET /v/chart@1/history', 200),
    ],
  },
  {
    name: 'waits that end with a change',
    steps: [
      step('GET /v/chart@2/state?state=canary', 200),
      step('PUT /v/chart@2/state?state=canary', 200),
      step('GET /v/chart@2/state?state=fleet&wait=5s', 200, {
        meanwhile: step('PUT /v/chart@2/state?state=canary', 200),
      }),
      step('GET /v/chart@2?wait=5s', 200, {
        headers: { 'If-None-Match': '"3"' },
        meanwhile: step('POST /v/chart@2/claims?state=fleet&by=web-01', 200),
      }),
      step('GET /v/chart@2/state?state=done&wait=100ms', 406),
    ],
  },
  {
    name: 'watches',
    steps: [
      step('GET /v/chart@3/state?state=canary', 200),
      step('GET /v/chart@3/watch', 200, { meanwhile: step('PUT /v/chart@3/state?state=canary', 200) }),
      step('GET /v/chart@3/watch?after=1', 200),
      step('GET /v/chart@3/watch', 101, { meanwhile: step('PUT /v/chart@3/state?state=canary', 200) }),
    ],
  },
  {
    name: 'FleetLock',
    steps: [
      step('POST /v/chart@4/v1/pre-reboot', 406, LOCK),
      step('PUT /v/chart@4/state?state=canary', 200),
      step('PUT /v/chart@4/state?state=canary', 200),
      step('POST /v/chart@4/v1/pre-reboot', 200, LOCK),
      step('POST /v/chart@4/v1/steady-state', 200, LOCK),
      step('POST /v/chart@4/v1/steady-state', 200, LOCK),
    ],
  },
  {
    name: 'pictures and pages',
    steps: [
      step('GET /v/chart@5', 200, { headers: { Accept: 'text/html' } }),
      step('GET /v/chart@5/diagram.svg', 200),
      step('GET /v/chart@5/diagram.mmd', 200),
      step('GET /v', 200, { headers: { Accept: 'text/html' } }),
    ],
  },
  {
    name: 'a timeline',
    needs: 'edge',
    steps: [
      step('PUT /v/sequence@timeline/state?state=drain', 200),
      step('GET /v/sequence@timeline/timeline.svg', 200),
    ],
  },
  {
    name: 'a chart that is uploaded',
    steps: [
      step('GET /v/uploaded', 404),
      step('PUT /v/uploaded/chart', 422, { body: 'states: 7' }),
      step('PUT /v/uploaded/chart', 201, { body: SEQUENCE }),
      step('PUT /v/uploaded/state?state=drain', 200),
      step('PUT /v/uploaded@1/state?state=drain', 200),
      step('PUT /v/uploaded/chart', 409, { body: STATECHART }),
      step('PUT /v/uploaded/chart?reset=true', 200, { body: STATECHART }),
      step('GET /v/uploaded', 200),
      step('GET /v/uploaded/chart', 200),
      step('POST /v/uploaded/reset?by=ops', 204),
      step('GET /v/uploaded/history', 200),
      step('GET /v?chart=uploaded', 200),
      step('GET /v', 200),
      step('GET /v/uploaded/state?state=canary&wait=5s', 200),
      step('DELETE /v/uploaded', 204),
      step('DELETE /v/uploaded@1', 204),
      step('GET /v/uploaded', 404),
      step('GET /v?chart=uploaded', 200),
    ],
  },
  {
    name: 'a restore',
    needs: 'object',
    // workerd has no point-in-time recovery.
    steps: [step(`POST /v/sequence/restore?at=${new Date().toISOString()}`, 501)],
  },
  {
    name: 'the form of a restore',
    needs: 'edge',
    steps: [step('GET /v/sequence/restore', 200)],
  },
  {
    name: 'the service itself',
    steps: [
      step('GET /healthz', 200),
      step('GET /schema.json', 200),
      step('GET /page.js', 200),
      step('GET /page.css', 200),
      step('GET /openapi.json', 200),
      step('GET /openapi', 200),
      step('GET /v/chart/none', 404),
      step('POST /v/chart/state', 405),
    ],
  },
  {
    name: 'a session of a browser',
    needs: 'edge',
    steps: [
      step('GET /favicon.ico', 200),
      step('GET /signin', 200),
      step('POST /signin', 303, { body: 'token=x&to=/v' }),
      step('GET /signout', 200),
      step('POST /signout', 303),
    ],
  },
  {
    name: 'a slot that is renewed',
    needs: 'object',
    steps: [step('POST /v/sequence@12/claims?state=drain&by=web-01&renew=true', 406)],
  },
  {
    name: 'metrics of a tenant',
    needs: 'edge',
    steps: [step('GET /v/metrics', 200)],
  },
  {
    name: 'turn.sh',
    needs: 'edge',
    steps: [step('GET /turn.sh', 200)],
  },
  {
    name: 'the history by who, event, state and time',
    needs: 'edge',
    steps: [step('GET /v/sequence@6/history?by=a&event=update&state=drain&since=1h&until=1m', 200)],
  },
  {
    name: 'who has reported',
    needs: 'object',
    steps: [step('GET /v/sequence@6/reports?state=drain', 200)],
  },
  {
    name: 'a link that is made',
    needs: 'object',
    steps: [step('POST /v/chart/links?state=canary&by=anna', 201)],
  },
  {
    name: 'the form of a link',
    needs: 'edge',
    steps: [step('GET /v/chart/links', 200)],
  },
  {
    name: 'the pages of a chart',
    needs: 'object',
    steps: [
      step('GET /v/chart/chart/edit', 200),
      step('GET /v/chart/chart/start', 200),
      step('POST /v/chart/chart/start', 303, { body: 'run=formed' }),
    ],
  },
  {
    name: 'the form of a chart',
    needs: 'edge',
    steps: [step('POST /v/chart/chart/edit', 422, { body: 'text=x' })],
  },
  {
    // The edge refuses these before it calls an object.
    name: 'links that are none',
    needs: 'edge',
    steps: [step('GET /v/chart/links/none', 404), step('POST /v/chart/links/none', 404)],
  },
  {
    name: 'an ask and a report by POST',
    needs: 'edge',
    steps: [
      step('POST /v/sequence@11/report?state=drain', 200),
      step('POST /v/sequence@11/ask?state=drain', 200),
    ],
  },
  {
    name: 'members, and the hand of an operator',
    needs: 'object',
    steps: [
      step('PUT /v/sequence@8/members', 200, { headers: { 'Content-Type': 'text/plain' }, body: 'a\nb\n' }),
      step('GET /v/sequence@8/members', 200),
      step('POST /v/sequence@8/members', 303, { body: 'text=a%0D%0Ab%0D%0Ac' }),
      step('POST /v/sequence@8/members', 303, { body: 'strike=c' }),
      step('DELETE /v/sequence@8/members/b', 200),
      step('DELETE /v/sequence@8/members', 204),
      step('POST /v/sequence@8/pause', 204),
      step('POST /v/sequence@8/resume', 204),
      step('POST /v/sequence@8/override?to=drain&reason=test', 204),
    ],
  },
  {
    name: 'notifications',
    needs: 'object',
    steps: [step('GET /v/sequence@12/notifications', 200), step('POST /v/sequence@12/notifications/1', 404)],
  },
  {
    // An older object ignores the inputs, and does not say whether the machine is new.
    name: 'a start with inputs',
    needs: 'both',
    steps: [step('POST /v/sequence@9/start', 201)],
  },
  {
    // workerd cannot go back: here, only the check of the moment.
    name: 'a machine put back to a moment',
    needs: 'both',
    steps: [
      step('PUT /v/sequence@10/state?state=drain', 200),
      step('POST /v/sequence@10/restore?at=5m', 400),
    ],
  },
  {
    // An older object ignores the data, and answers as if any caller asked.
    name: 'data of a report, and an ask of one caller',
    needs: 'edge',
    steps: [
      step('PUT /v/sequence@7/state?state=drain&by=web-01', 200, {
        headers: JSON_BODY,
        body: '{"took": 7}',
      }),
      step('GET /v/sequence@7/state?state=drain&by=web-02', 200),
    ],
  },
];

/** Requests to a machine whose commands and queries have types that no object knows: see `edge.worker.ts`. */
export const UNKNOWN: readonly Step[] = [
  step('GET /newer/chart/state?state=canary', 503),
  step('PUT /newer/chart/state?state=canary', 503),
  step('PUT /newer/chart/state?state=canary&by=web-01', 503),
  step('POST /newer/chart/claims?state=canary&by=web-01', 503),
  step('GET /newer/chart', 503),
  step('GET /newer/chart/history', 503),
  step('POST /newer/chart/reset', 503),
  step('PUT /newer/chart/chart', 503, { body: STATECHART }),
];
