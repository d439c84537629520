/** Schemas of the documents in requests and responses. OpenAPI publishes them; `satisfies` binds them to the code's types. Times are ISO 8601. */
import * as z from 'zod/mini';
import type { ChartIssue } from '../../chart/chart.ts';
import type { ShownEntry } from '../../objects/shown-entry.ts';
import type { Status } from '../../objects/status-document.ts';
import { CAUSES } from '../../store/history-table.ts';
import { CHART_ORIGINS } from '../../store/stored-machine.ts';
import {
  address,
  CountShape,
  dialect,
  InputsShape,
  JsonShape,
  progress,
  revision,
  stateNames,
  tags,
  time,
  ValueShape,
} from './document-parts.ts';
import { FaultShape, FleetLockShape } from './fleetlock-documents.ts';
import { MembersChangedShape, MembersShape } from './member-documents.ts';
import { HooksShape, NotificationsShape } from './notification-documents.ts';

export const StatusShape = z.strictObject({
  machine: address,
  dialect,
  states: stateNames('The active states, outermost first.'),
  value: ValueShape,
  status: progress,
  tags,
  revision,
  started: z.nullable(
    time('When the present run began; null for a run that has not begun: it is shown as if it began now.'),
  ),
  since: time('When the state that was entered last was entered.'),
  changed: time('When the last change took effect.'),
  context: z
    .record(z.string(), JsonShape)
    .check(z.describe("The chart's own data, as its assignments have left it.")),
  inputs: InputsShape.check(z.describe('The values of the inputs in this run.')),
  paused: z
    .nullable(
      z.strictObject({
        since: time('When the pause began.'),
        until: z.nullable(time('When the machine resumes by itself.')),
        by: z.nullable(z.string()),
        sub: z.nullable(z.string()),
        reason: z.nullable(z.string()),
      }),
    )
    .check(z.describe('The pause of the machine; null if it is not paused.')),
  members: z
    .optional(z.nullable(z.strictObject({ total: z.int().check(z.minimum(0)) })))
    .check(z.describe('The machines that are expected to take part; null without a list of them.')),
  quorums: z
    .array(
      z.extend(CountShape, {
        by: z
          .array(z.string())
          .check(
            z.describe(
              'The callers that have reported with a name, the first one in front. Bounded, see `statusCallersLength`.',
            ),
          ),
        expected: z
          .optional(z.int())
          .check(z.describe('The members that the state is for; absent without a list of members.')),
        missing: z
          .optional(
            z.strictObject({
              count: z.int().check(z.minimum(0)),
              names: z.array(z.string()).check(z.describe('The first of them, in natural order.')),
            }),
          )
          .check(
            z.describe('Of the expected members, those that have not reported to the state in this visit.'),
          ),
      }),
    )
    .check(z.describe('The progress of each counting transition of the active states.')),
  claims: z
    .array(
      z.strictObject({
        state: z.string(),
        slots: z
          .nullable(z.int().check(z.minimum(1)))
          .check(z.describe('Null for a share of the members where there is no list of them.')),
        holders: z.array(
          z.strictObject({
            by: z.string(),
            since: time('When the slot was taken.'),
            until: time('When its lease ends.'),
          }),
        ),
      }),
    )
    .check(z.describe('The active states with slots.')),
  windows: z
    .optional(
      z.array(
        z.strictObject({
          state: z.string(),
          open: z.boolean().check(z.describe('Whether work may be begun.')),
          until: z.optional(
            time('When it closes. Of many windows that follow each other, the first are looked at.'),
          ),
          opens: z.optional(time('When it opens, if it is closed.')),
        }),
      ),
    )
    .check(
      z.describe(
        'The active states that have windows, or have states with windows around them; absent if there are none. It depends on the time, so it can change without the revision.',
      ),
    ),
  timers: z
    .array(
      z.strictObject({
        at: time('When the timer is due.'),
        event: z
          .nullable(z.string())
          .check(z.describe('The event that the timer sends; null for an `after`, an `at` or a `time`.')),
        state: z
          .nullable(z.string())
          .check(z.describe('The state whose timer it is; null if a `raise` has set it.')),
        target: z
          .nullable(z.string())
          .check(
            z.describe('The state that it leads to; null if there is none, or guards choose among several.'),
          ),
      }),
    )
    .check(z.describe('The timers that are set, the earliest in front.')),
  hooks: z.optional(HooksShape),
  chart: z.strictObject({
    hash: z.string().check(z.describe("SHA-256 of the chart's text, hexadecimal.")),
    source: z.enum(CHART_ORIGINS),
    newer: z.boolean().check(z.describe('Whether a newer chart is waiting for a reset.')),
  }),
}) satisfies z.ZodMiniType<Status>;

export const EntryShape = z.strictObject({
  id: z.int().check(z.minimum(1), z.describe('Counts the entries of a machine, from 1.')),
  revision,
  at: time('When the change took effect.'),
  cause: z.enum(CAUSES),
  event: z.nullable(z.string()),
  state: z.nullable(z.string()).check(z.describe('The state that the request named.')),
  by: z.nullable(z.string()).check(z.describe('The caller, if the request named one.')),
  sub: z.nullable(z.string()).check(z.describe('The subject of the token, if one was needed.')),
  from: stateNames('The active states before, outermost first.'),
  to: stateNames('The active states after, outermost first.'),
  entered: stateNames(
    'The states that were entered, in that order: also those that were left again or were active before.',
  ),
  notes: z
    .array(z.string())
    .check(z.describe('Guards that could not be evaluated, or why the event was refused.')),
  data: z.optional(JsonShape).check(z.describe('The data of the report; absent if it had none.')),
}) satisfies z.ZodMiniType<ShownEntry>;

export const HistoryShape = z.strictObject({
  machine: address,
  history: z.array(EntryShape).check(z.describe('Newest first.')),
  before: z
    .optional(z.int().check(z.minimum(1)))
    .check(z.describe('`before` of the next page; absent if there is none.')),
});

export const ReportsShape = z.strictObject({
  machine: address,
  state: z.string().check(z.describe("The state's own name.")),
  reports: z.array(
    z.strictObject({
      by: z.string(),
      event: z.string(),
      at: z.nullable(
        time('When the report was accepted; null for a report from before the service kept this.'),
      ),
      data: z
        .optional(JsonShape)
        .check(
          z.describe('Absent if the report had none, or if they were dropped: see `reportDataPerMachine`.'),
        ),
    }),
  ),
  after: z
    .optional(z.int().check(z.minimum(1)))
    .check(z.describe('`after` of the next page; absent if there is none.')),
});

const SummaryShape = z.strictObject({
  machine: address,
  dialect,
  states: stateNames('The active states, outermost first.'),
  status: progress,
  tags,
  waiting: z.array(CountShape).check(z.describe('Counts that are incomplete or past their target.')),
  revision,
  changed: time('When the last change took effect.'),
  since: z.optional(time('When the newest of the active states was entered.')),
  paused: z.boolean(),
  late: z
    .boolean()
    .check(
      z.describe(
        'Whether three quarters of the time to a deadline are over: a timer after which it can end only in failure.',
      ),
    ),
});

export const MachinesShape = z.strictObject({
  tenant: z.string(),
  counts: z
    .optional(
      z.strictObject({
        machines: z.int().check(z.minimum(0)),
        late: z.int().check(z.minimum(0)),
        failed: z.int().check(z.minimum(0)),
        paused: z.int().check(z.minimum(0)),
      }),
    )
    .check(
      z.describe(
        'Of all machines that the caller may read and that `q` and `chart` find, whatever their states.',
      ),
    ),
  machines: z.array(
    z.union([
      SummaryShape,
      z
        .strictObject({ machine: address, status: z.literal('unknown') })
        .check(z.describe('A machine that does not answer now.')),
    ]),
  ),
  after: z.optional(z.string()).check(z.describe('`after` of the next page; absent if there is none.')),
});

const IssueShape = z.strictObject({
  severity: z.enum(['error', 'warning']),
  line: z.int().check(z.minimum(1)),
  column: z.int().check(z.minimum(1), z.describe('In UTF-16 code units.')),
  path: z.string().check(z.describe('The place in the document: `states[2].target.name`.')),
  message: z.string(),
}) satisfies z.ZodMiniType<ChartIssue>;

export const UploadedShape = z.strictObject({
  dialect,
  hash: z.string(),
  warnings: z.array(IssueShape),
});

export const ClaimShape = z.strictObject({
  state: z.string(),
  by: z.string(),
  until: time('When the lease ends.'),
  lease: z.number().check(z.describe('How long the lease lasts, in seconds. Renew it earlier.')),
});

export const LinkShape = z.strictObject({
  url: z.url().check(z.describe('The link.')),
  state: z.string(),
  event: z.string(),
  by: z.string(),
  until: time('Until when it may be used.'),
});

export const HealthShape = z.strictObject({
  status: z.literal('ok'),
  limits: z.record(z.string(), z.number()).check(z.describe('The bounds that callers can meet.')),
});

/** Problem details (RFC 9457). */
export const ProblemShape = z.strictObject({
  type: z
    .templateLiteral(['urn:stateservice:problem:', z.string()])
    .check(z.describe('The kind of refusal.')),
  title: z.string(),
  status: z.int().check(z.minimum(400), z.maximum(599)),
  detail: z.string().check(z.describe('What is the case, and what would be right.')),
  machine: z
    .optional(
      z.strictObject({
        revision,
        states: stateNames('The active states, outermost first.'),
        waiting: z.array(CountShape),
      }),
    )
    .check(z.describe('The state of the machine when it refused.')),
  events: z.optional(z.array(z.string())).check(z.describe('The events that the state takes.')),
  holders: z
    .optional(z.array(z.strictObject({ by: z.string(), until: time('When the lease ends.') })))
    .check(z.describe('The holders of the slots.')),
  opens: z.optional(time('When the windows of the state open.')),
  candidates: z.optional(z.array(z.string())).check(z.describe('The states that the name may mean.')),
  inputs: z
    .optional(z.array(z.strictObject({ input: z.string(), message: z.string() })))
    .check(z.describe('Inputs that are unknown, missing or wrong.')),
  errors: z
    .optional(z.array(IssueShape))
    .check(z.describe('All errors of the chart, or of the list of members.')),
});

/** A document that a standard of its own describes. */
export const AnyShape = z.looseObject({});

/** The schemas with a name in OpenAPI: several responses share them, or they are recursive. */
export const DOCUMENTS = {
  Status: StatusShape,
  Entry: EntryShape,
  History: HistoryShape,
  Reports: ReportsShape,
  Members: MembersShape,
  MembersChanged: MembersChangedShape,
  Notifications: NotificationsShape,
  Machines: MachinesShape,
  Uploaded: UploadedShape,
  Claim: ClaimShape,
  Link: LinkShape,
  Health: HealthShape,
  Problem: ProblemShape,
  Fault: FaultShape,
  FleetLock: FleetLockShape,
  Count: CountShape,
  Issue: IssueShape,
  Json: JsonShape,
  Value: ValueShape,
} as const;
