/**
 * The shape of a statechart document: XState's vocabulary as data. `statechart.ts` checks what a shape cannot say: that
 * targets exist and expressions parse.
 */
import * as z from 'zod/mini';
import { amountShape } from '../amount.ts';
import { NotifyField } from '../notify.ts';
import { OnlyField } from '../only.ts';
import { InputsField } from '../run-inputs.ts';
import { SlotsFields } from '../slots.ts';
import { DURATION, parseDuration, TIMESTAMP } from '../time.ts';
import { WINDOW_KEYS, WindowFields } from '../window.ts';

const text = (what: string) => z.string({ error: `must be text: ${what}` });
const oneOrMore = <Item extends z.ZodMiniType>(item: Item, error: string) =>
  z.union([item, z.array(item)], { error });

/** A scalar is a value; text is a CEL expression. */
const ValueShape = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'must be an expression in CEL, such as `context.failed + 1`, or a number or boolean',
});

const DelayShape = z
  .union([z.number(), z.string().check(z.meta({ pattern: DURATION.source }))], {
    error: 'must be a duration, such as 90s, 30m, 12h or 7d, or milliseconds',
  })
  .check(
    z.refine((delay) => parseDuration(String(delay)) !== undefined, {
      error: 'must be a duration, such as 90s, 30m, 12h or 7d, or milliseconds',
    }),
  );

const RaiseShape = z.union(
  [
    z.string(),
    z.strictObject({
      event: text('the event to send'),
      delay: z.optional(DelayShape),
      id: z.optional(text('a name by which `cancel` finds it')),
    }),
  ],
  { error: 'must be an event, or `{event, delay, id}`' },
);

const ActionShape = z.union(
  [
    z.strictObject({
      assign: z.record(z.string(), ValueShape, { error: 'must be a mapping of keys to expressions' }),
    }),
    z.strictObject({ raise: RaiseShape }),
    z.strictObject({ cancel: text('the `id` of a delayed `raise`') }),
  ],
  { error: 'must be one of `assign`, `raise` and `cancel`: actions are data, not code' },
);
const ActionsShape = oneOrMore(
  ActionShape,
  'must be an action (`assign`, `raise` or `cancel`) or a list of them: data, not code',
);

const TargetShape = oneOrMore(
  text('a target'),
  'must be a target, such as `fleet`, `.child` or `#id`, or a list',
);

const DescriptionShape = text('what people should know');

const TransitionFields = {
  target: z
    .optional(TargetShape)
    .check(z.describe('The next state: `sibling`, `.child`, `#id`, or a path such as `fleet.eu`.')),
  guard: z
    .optional(
      z.union([z.string(), z.boolean()], {
        error: 'must be an expression in CEL, such as `context.failed >= 1`',
      }),
    )
    .check(
      z.describe(
        'A CEL expression over `context`, `event` and `in_state("id.or.path")`. The transition is taken only if it is true.',
      ),
    ),
  actions: z.optional(ActionsShape).check(z.describe('Actions that run with the transition.')),
  reenter: z
    .optional(z.boolean({ error: 'must be true or false' }))
    .check(
      z.describe(
        'Whether the state is left and entered again if the target is the state itself or inside it.',
      ),
    ),
  description: z.optional(DescriptionShape).check(z.describe('Text for people.')),
  meta: z.optional(z.unknown()).check(z.describe('Any data of your own.')),
};
const TRANSITION =
  'must be a target, a transition such as `{target: fleet, guard: context.ok}`, or a list of them';
const transitionsShape = <Item extends z.ZodMiniType>(item: Item) =>
  z.union([z.string(), item, z.array(z.union([z.string(), item], { error: TRANSITION }))], {
    error: TRANSITION,
  });

const TransitionsShape = transitionsShape(z.strictObject(TransitionFields));
const EventTransitionsShape = transitionsShape(
  z.strictObject({
    ...TransitionFields,
    quorum: z
      .optional(amountShape('a whole number of at least 1', '`all`, `95%`'))
      .check(
        z.describe(
          'How many accepted events take the transition; the events before the last one only count. A number, a share of the members (`all`, `95%`), or an input (`inputs.machines`).',
        ),
      ),
  }),
);

const InitialShape = z.union(
  [z.string(), z.strictObject({ target: text('the child to enter'), actions: z.optional(ActionsShape) })],
  { error: 'must be the key of a child, or `{target, actions}`' },
);

const TYPES = ['atomic', 'compound', 'parallel', 'final', 'history'] as const;

const StateFields = {
  id: z
    .optional(text('a name that is unique in the chart'))
    .check(z.describe('A name that is unique in the chart; `#id` is a target from anywhere.')),
  type: z
    .optional(z.enum(TYPES, { error: `must be one of ${TYPES.join(', ')}` }))
    .check(z.describe('The type of the state. Default: compound if it has states, otherwise atomic.')),
  initial: z.optional(InitialShape).check(z.describe('The child that is entered first.')),
  history: z
    .optional(z.enum(['shallow', 'deep'], { error: 'must be shallow or deep' }))
    .check(
      z.describe('For a history state: whether it remembers only the child, or all active states inside.'),
    ),
  target: z
    .optional(TargetShape)
    .check(z.describe('For a history state: its target if nothing is remembered yet.')),
  on: z
    .optional(
      z.record(z.string(), EventTransitionsShape, { error: 'must be a mapping of events to transitions' }),
    )
    .check(z.describe('Transitions by event. A plain PUT sends `update`; `*` is any event.')),
  after: z
    .optional(
      z.record(z.string(), TransitionsShape, { error: 'must be a mapping of durations to transitions' }),
    )
    .check(
      z.meta({
        description: 'Transitions by time since the state was entered: 90s, 30m, 12h, 7d, or milliseconds.',
        propertyNames: { pattern: `${DURATION.source}|^inputs\\.[A-Za-z_][A-Za-z0-9_]*$` },
      }),
    ),
  at: z
    .optional(z.record(z.string(), TransitionsShape, { error: 'must be a mapping of times to transitions' }))
    .check(
      z.meta({
        description: 'Transitions by moment: 2026-12-01T02:00:00Z; without an offset, in UTC.',
        propertyNames: { pattern: TIMESTAMP.source },
      }),
    ),
  always: z
    .optional(TransitionsShape)
    .check(z.describe('Transitions that are taken as soon as their guard is true.')),
  onDone: z
    .optional(TransitionsShape)
    .check(
      z.describe('Transitions that are taken when the final state, or that of each region, is entered.'),
    ),
  ...SlotsFields,
  ...OnlyField,
  ...WindowFields,
  entry: z.optional(ActionsShape).check(z.describe('Actions that run when the state is entered.')),
  exit: z.optional(ActionsShape).check(z.describe('Actions that run when the state is left.')),
  description: z.optional(DescriptionShape).check(z.describe('Text for people.')),
  tags: z
    .optional(oneOrMore(text('a tag'), 'must be a tag, or a list of tags'))
    .check(z.describe('Words for tools to find the state by.')),
  meta: z.optional(z.unknown()).check(z.describe('Any data of your own.')),
};

const StateShape: z.ZodMiniType = z.nullable(
  z.strictObject(
    {
      ...StateFields,
      get states() {
        return z.optional(StatesShape).check(z.describe('The child states, by name.'));
      },
    },
    { error: 'must be a state: a mapping, which may be empty, `{}`' },
  ),
);

const StatesShape = z.record(z.string(), StateShape, {
  error: 'must be a mapping of names to states',
});

const PLAIN = { error: 'must be plain data: null, a boolean, a finite number, text, a list or a mapping' };
const PlainShape = z.unknown().check(z.refine(isPlain, PLAIN));

/** JSON data: YAML also has infinity and NaN. */
function isPlain(data: unknown): boolean {
  if (typeof data === 'number') return Number.isFinite(data);
  return typeof data !== 'object' || data === null || Object.values(data).every(isPlain);
}

/** A whole statechart: the root state, and the initial context. */
export const StatechartShape = z.strictObject(
  {
    ...StateFields,
    context: z
      .optional(z.record(z.string(), PlainShape, { error: 'must be a mapping of names to plain data' }))
      .check(z.describe('The initial data, for guards and assignments.')),
    ...InputsField,
    ...NotifyField,
    states: StatesShape.check(z.describe('The states, by name.')),
  },
  { error: 'must be a mapping with `initial` and `states`' },
);

/** Every key of any shape, for suggestions. */
export const STATECHART_KEYS: readonly string[] = [
  ...new Set([
    ...Object.keys(StatechartShape.shape),
    ...Object.keys(TransitionFields),
    'quorum',
    'assign',
    'raise',
    'cancel',
    'event',
    'delay',
    'to',
    ...WINDOW_KEYS,
  ]),
];
