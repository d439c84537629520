/**
 * CEL, the expression language of guards and assignments (https://cel.dev), bounded.
 *
 * CEL always ends, but not soon: `matches` is a backtracking regular expression, macros multiply with each
 * other, and strings double. So some of it is refused when a chart is read, and what is left is paid for from a
 * budget while the chart runs.
 */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import {
  ACTION_COST,
  ASSIGNMENT_COST,
  CONTEXT_BYTES,
  EVENT_BUDGET,
  EXPRESSION_COST,
  EXPRESSION_LENGTH,
  EXPRESSION_NODES,
  FAILURE_COST,
  FAILURE_LENGTH,
  FAILURES_TOLD,
  MICROSTEP_COST,
  REGION_COST,
} from './limits.ts';

/** Plain JSON, as a chart's context holds it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What an expression sees. */
export interface Scope {
  readonly context: { readonly [key: string]: Json };
  readonly event: { readonly type: string };
}

/** A guard that was checked. */
export interface CheckedGuard<State> {
  readonly cel: string;
  /** The states that it asks for by `in_state`, by the names that it has for them. */
  readonly asks?: readonly (readonly [name: string, state: State])[];
}

/** What `in_state` answers while a guard is evaluated, by name. */
export type Answers = ReadonlyMap<string, boolean>;

/** What is wrong with an expression, and at which of its characters (from 0). */
export interface ExpressionProblem {
  readonly offset: number;
  readonly message: string;
}

/** What is said of an event that is stopped for its cost. */
export const TOO_LONG = 'it takes too many steps';

/** A running chart has crossed one of its bounds: the event that did it is refused whole. */
export class BoundError extends Error {}

const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: EXPRESSION_NODES, maxDepth: 32, maxListElements: 64, maxMapEntries: 64 },
})
  .registerVariable('context', 'dyn')
  .registerVariable('event', 'dyn')
  .registerFunction('in_state(string): bool', (name: string) => answers.get(name) === true);

/** For the guard that is being evaluated: evaluation is synchronous, and there is one at a time. */
let answers: Answers = new Map();

// Numbers are numbers: a context's are doubles and a literal `1` is an int, and CEL does not mix them.
for (const [operator, apply] of Object.entries({
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
})) {
  const mixed = (a: number | bigint, b: number | bigint) => apply(Number(a), Number(b));
  environment
    .registerOperator(`double ${operator} int`, mixed)
    .registerOperator(`int ${operator} double: double`, mixed);
}
environment.registerOperator('double % double', (a: number, b: number) => a % b);
environment.registerOperator('double == int: bool', (a: number, b: bigint) => a === Number(b));

/** Macros that run a part of the expression for each element of a collection. */
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/**
 * Checks an expression that stands for a value.
 *
 * @returns what is wrong, or nothing.
 */
export function checkExpression(source: string): ExpressionProblem | undefined {
  const parsed = parse(source);
  if ('message' in parsed) return parsed;
  const [call] = findCalls(parsed, 'in_state');
  if (call !== undefined) return { offset: call.start, message: '`in_state` can be asked in guards only' };
  return checkTypes(source);
}

/**
 * Checks a guard.
 *
 * @param resolve finds the state that `in_state` names, or says why there is none.
 */
export function checkGuard<State>(
  source: string,
  resolve: (name: string) => State | string,
): { readonly ok: true; readonly guard: CheckedGuard<State> } | ({ readonly ok: false } & ExpressionProblem) {
  const ast = parse(source);
  if ('message' in ast) return { ok: false, ...ast };
  const wrong = checkTypes(source, ['bool', 'dyn']);
  if (wrong !== undefined) return { ok: false, ...wrong };
  const asks = new Map<string, State>();
  for (const call of findCalls(ast, 'in_state')) {
    const [name] = call.op === 'call' ? call.args[1] : [];
    if (name?.op !== 'value' || typeof name.args !== 'string') {
      return { ok: false, offset: call.start, message: '`in_state` takes the name of a state in quotes' };
    }
    const state = resolve(name.args);
    if (typeof state === 'string') return { ok: false, offset: name.start, message: state };
    asks.set(name.args, state);
  }
  return { ok: true, guard: asks.size === 0 ? { cel: source } : { cel: source, asks: [...asks] } };
}

function parse(source: string): ASTNode | ExpressionProblem {
  if (source.length > EXPRESSION_LENGTH) {
    return { offset: 0, message: `an expression has at most ${EXPRESSION_LENGTH} characters` };
  }
  // Prefix chains recurse in the parser, which its own limits do not count.
  const chain = /(?:[!-]\s*){33}/.exec(source);
  if (chain !== null) return { offset: chain.index, message: 'more than 32 prefix operators in a row' };
  let ast: ASTNode;
  try {
    ast = environment.parse(source).ast;
  } catch (error) {
    return problemOf(error);
  }
  return checkCost(ast, false) ?? ast;
}

/**
 * What an expression may call. CEL has more: regular expressions that backtrack, time zones that are looked up, texts
 * that are split, joined and bound to names. No budget knows what those cost.
 */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...MACROS,
  'bool',
  'contains',
  'double',
  'dyn',
  'endsWith',
  'has',
  'in_state',
  'int',
  'size',
  'startsWith',
  'string',
  'type',
]);

/** Refuses what no budget can bound: functions that are not in the list, and a macro inside a macro. */
function checkCost(node: ASTNode, inMacro: boolean): ExpressionProblem | undefined {
  const isMacro = node.op === 'rcall' && MACROS.has(node.args[0]);
  if (isMacro && inMacro) return { offset: node.start, message: 'a macro cannot stand inside another' };
  // Each can make its list some dozen times as long.
  if (isMacro && mapsIn(node) > 2) {
    return { offset: node.start, message: 'more than two `map` in a row' };
  }
  if ((node.op === 'rcall' || node.op === 'call') && !FUNCTIONS.has(node.args[0])) {
    const known = [...FUNCTIONS].join(', ');
    return { offset: node.start, message: `\`${node.args[0]}\` is not available here; there is: ${known}` };
  }
  for (const child of childrenOf(node)) {
    // What a macro goes over is evaluated once, and only what it does there once for each.
    const repeated = isMacro && child !== node.args[1];
    const wrong = checkCost(child, inMacro || repeated);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** How many `map` go over what another has made, this node's own among them. */
function mapsIn(node: ASTNode): number {
  const own = node.op === 'rcall' && node.args[0] === 'map' ? 1 : 0;
  return own + Math.max(0, ...childrenOf(node).map(mapsIn));
}

function checkTypes(source: string, types?: readonly string[]): ExpressionProblem | undefined {
  const { valid, type, error } = environment.check(source);
  if (!valid) return problemOf(error);
  if (types === undefined || type === undefined || types.includes(type)) return undefined;
  return { offset: 0, message: `a guard is true or false; this gives a ${type}` };
}

function problemOf(error: unknown): ExpressionProblem {
  if (error instanceof ParseError || (error instanceof Error && 'summary' in error)) {
    const { summary, range } = error as ParseError;
    return { offset: range?.start ?? 0, message: summary };
  }
  throw error;
}

function findCalls(node: ASTNode, name: string): ASTNode[] {
  const inside = childrenOf(node).flatMap((child) => findCalls(child, name));
  return node.op === 'call' && node.args[0] === name ? [node, ...inside] : inside;
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
      return node.args;
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/**
 * Evaluates a chart's expressions, and pays for them and for the microsteps between them: one budget for each
 * event. Counted in steps and not in time, so that a chart does the same everywhere.
 */
export class Evaluator {
  readonly #microstep: number;
  #spent = 0;
  #failures: string[] = [];
  readonly #compiled = new Map<string, Compiled>();

  /** @param regions states without children that can be active at once: each microstep looks at all of them. */
  constructor(regions: number) {
    this.#microstep = MICROSTEP_COST + REGION_COST * regions;
  }

  /** Pays for a transition that is looked at, or an event that is raised. */
  step(): true {
    this.#spend(this.#microstep);
    return true;
  }

  /** Pays for an action that is run. */
  act(): void {
    this.#spend(ACTION_COST);
  }

  /** What the event has cost so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Begins an event: the budget is whole again, and no guard has failed. */
  begin(): void {
    this.#spent = 0;
    this.#failures = [];
  }

  /** Guards of this event that could not be evaluated, each with its reason. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Only `true` is true; what cannot be evaluated (a key that is not there) is false, and is told. */
  guard(source: string, scope: Scope, inState: Answers): boolean {
    try {
      answers = inState;
      return this.#run(source, scope) === true;
    } catch (error) {
      if (error instanceof BoundError) throw error;
      this.#spend(FAILURE_COST);
      if (this.#failures.length < FAILURES_TOLD) {
        this.#failures.push(`guard ${source}: ${reasonOf(error)}`.slice(0, FAILURE_LENGTH));
      }
      return false;
    }
  }

  /**
   * @returns the value as JSON.
   * @throws BoundError where it cannot be evaluated or is no JSON: the event is refused whole.
   */
  value(source: string, scope: Scope): Json {
    try {
      return toJson(this.#run(source, scope), 0);
    } catch (error) {
      if (error instanceof BoundError) throw error;
      throw new BoundError(`assign ${source}: ${reasonOf(error)}`.slice(0, FAILURE_LENGTH));
    }
  }

  /** Checks a context that an assignment has made. Growing it is paid for like evaluating. */
  admit(context: Scope['context']): void {
    const { bytes } = sizeOf(context);
    if (bytes > CONTEXT_BYTES)
      throw new BoundError(`the context would have more than ${CONTEXT_BYTES} bytes`);
    this.#spend(ASSIGNMENT_COST + bytes / 4);
  }

  #run(source: string, scope: Scope): unknown {
    const compiled = this.#compile(source);
    const { bytes, longest } = sizeOf(scope.context);
    // Comparing goes over all of it, searching a text can go over it for each of its characters, and a macro does what
    // is in it for each element.
    const once = 2 + bytes / 64 + (compiled.searches ? (bytes * bytes) / 4_096 : 0);
    const elements = Math.max(longest, compiled.nodes);
    this.#spend(EXPRESSION_COST + compiled.nodes * once * (compiled.hasMacro ? 1 + elements : 1));
    return compiled.run({ context: scope.context, event: scope.event });
  }

  #spend(cost: number): void {
    this.#spent += cost;
    if (this.#spent > EVENT_BUDGET) throw new BoundError(TOO_LONG);
  }

  #compile(source: string): Compiled {
    let compiled = this.#compiled.get(source);
    if (compiled === undefined) {
      const run = environment.parse(source);
      compiled = {
        run,
        nodes: countNodes(run.ast),
        hasMacro: calls(run.ast, MACROS),
        searches: calls(run.ast, SEARCHES),
      };
      this.#compiled.set(source, compiled);
    }
    return compiled;
  }
}

interface Compiled {
  readonly run: (scope: Record<string, unknown>) => unknown;
  readonly nodes: number;
  readonly hasMacro: boolean;
  /** Whether it looks for a text in a text. */
  readonly searches: boolean;
}

function countNodes(node: ASTNode): number {
  return childrenOf(node).reduce((count, child) => count + countNodes(child), 1);
}

const SEARCHES: ReadonlySet<string> = new Set(['contains']);

/** Whether a method of these names is called. */
function calls(node: ASTNode, names: ReadonlySet<string>): boolean {
  return (
    (node.op === 'rcall' && names.has(node.args[0])) || childrenOf(node).some((child) => calls(child, names))
  );
}

const sizes = new WeakMap<object, { readonly bytes: number; readonly longest: number }>();

/** Bytes of a context as JSON, about, and the length of its longest list or mapping. */
function sizeOf(context: Scope['context']): { readonly bytes: number; readonly longest: number } {
  let size = sizes.get(context);
  if (size === undefined) {
    size = measure(context);
    sizes.set(context, size);
  }
  return size;
}

/** Stops counting soon after the bound: a context that shares parts may be far larger as text than in memory. */
function measure(context: Json): { bytes: number; longest: number } {
  let bytes = 0;
  let longest = 0;
  const walk = (value: Json): void => {
    if (bytes > CONTEXT_BYTES) return;
    if (typeof value === 'string')
      bytes += value.length * 3 > CONTEXT_BYTES ? encoder.encode(value).length : value.length + 2;
    else if (typeof value !== 'object' || value === null) bytes += 8;
    else {
      const entries = Object.entries(value);
      longest = Math.max(longest, entries.length);
      for (const [key, inner] of entries) {
        bytes += key.length + 4;
        walk(inner);
      }
    }
  };
  walk(context);
  return { bytes, longest };
}

const encoder = new TextEncoder();

/** CEL's values -> JSON. An int becomes a number, where it is one. */
function toJson(value: unknown, depth: number): Json {
  if (depth > 32) throw new BoundError('a value is nested more than 32 deep');
  if (typeof value === 'bigint') return toSafeNumber(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new BoundError(`${value} is no JSON number`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (value instanceof Map || isPlain(value)) {
    const object: Record<string, Json> = Object.create(null);
    for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
      object[String(key)] = toJson(inner, depth + 1);
    }
    return object;
  }
  throw new BoundError('the value is no JSON: null, a boolean, a number, a string, a list or a mapping');
}

function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new BoundError(`${value} is too large for a number`);
  return number;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'summary' in error && typeof error.summary === 'string') return error.summary;
  // What CEL stumbles over itself: a mapping for a key, a string longer than V8 allows.
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  throw error;
}
