/**
 * Checks the expressions of guards and assignments: that they parse, that their cost can be bounded (`evaluator.ts`
 * charges it), and that the names they use can exist.
 */
import { type ASTNode, ParseError } from '@marcbachmann/cel-js';
import { EXPRESSION_LENGTH } from '../chart-limits.ts';
import { childrenOf, createEnvironment, createEnvironmentOver, MACROS } from './cel.ts';

/** Plain JSON, as a chart's context holds it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The variables of an expression. */
export interface Scope {
  readonly context: { readonly [key: string]: Json };
  readonly event: { readonly type: string; readonly data?: Json };
}

/** The keys of `event`. `data` is there only if the event has data. */
const EVENT_KEYS = ['type', 'data'] as const satisfies readonly (keyof Scope['event'])[];

/** A checked guard. */
export interface CheckedGuard<State> {
  readonly cel: string;
  /** The states of its `in_state` calls, by the names in these calls. */
  readonly asks?: readonly (readonly [name: string, state: State])[];
}

/** An error in an expression, and the character at which it is (from 0). */
export interface ExpressionProblem {
  readonly offset: number;
  readonly message: string;
  /** An unknown name, and the names that are known. */
  readonly unknown?: { readonly name: string; readonly known: readonly string[] };
}

const environment = createEnvironment();
const memberEnvironment = createEnvironmentOver('member');

/**
 * Checks an `only`: it is evaluated for each of up to 10,000 members, so it has no macros.
 *
 * @returns the first error, or undefined.
 */
export function checkOnly(source: string): ExpressionProblem | undefined {
  const parsed = parseExpression(source, memberEnvironment);
  if ('message' in parsed) return parsed;
  const [macro] = [...MACROS].flatMap((name) => findMacros(parsed.ast, name));
  if (macro !== undefined) return { offset: macro.start, message: 'an `only` has no macros' };
  return checkTruth(parsed);
}

/** Checks that an expression is true or false, as far as its types tell. */
export function checkTruth(parsed: Parsed): ExpressionProblem | undefined {
  return checkGuardTypes(parsed) ?? checkCondition(parsed.ast) ?? checkConditions(parsed.ast);
}

/**
 * Checks the expression of an assignment.
 *
 * @param inputs the names of the chart's inputs.
 * @returns the first error, or undefined.
 */
export function checkExpression(
  source: string,
  inputs: readonly string[] = [],
): ExpressionProblem | undefined {
  const parsed = parseExpression(source);
  if ('message' in parsed) return parsed;
  const [call] = findCalls(parsed.ast, 'in_state');
  if (call !== undefined) return { offset: call.start, message: '`in_state` can be asked in guards only' };
  const { ast } = parsed;
  return (
    checkTypes(parsed).problem ?? checkEventKeys(ast) ?? checkInputs(ast, inputs) ?? checkConditions(ast)
  );
}

/**
 * Checks a guard.
 *
 * @param inputs the names of the chart's inputs.
 * @param resolve finds the state that `in_state` names, or returns the reason why there is none.
 */
export function checkGuard<State>(
  source: string,
  resolve: (name: string) => State | string,
  inputs: readonly string[] = [],
): { readonly ok: true; readonly guard: CheckedGuard<State> } | ({ readonly ok: false } & ExpressionProblem) {
  const parsed = parseExpression(source);
  if ('message' in parsed) return { ok: false, ...parsed };
  const { ast } = parsed;
  const wrong =
    checkGuardTypes(parsed) ??
    checkEventKeys(ast) ??
    checkInputs(ast, inputs) ??
    checkCondition(ast) ??
    checkConditions(ast);
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

type Parsed = ReturnType<typeof environment.parse>;

/** Parses an expression, and checks that its cost has a bound. */
export function parseExpression(source: string, within = environment): Parsed | ExpressionProblem {
  if (source.length > EXPRESSION_LENGTH) {
    return { offset: 0, message: `an expression has at most ${EXPRESSION_LENGTH} characters` };
  }
  // The parser recurses for each prefix operator, and does not count these in its own limits.
  const chain = /(?:[!-]\s*){33}/.exec(source);
  if (chain !== null) return { offset: chain.index, message: 'more than 32 prefix operators in a row' };
  let parsed: Parsed;
  try {
    parsed = within.parse(source);
  } catch (error) {
    return problemOf(error);
  }
  return checkCost(parsed.ast, false) ?? parsed;
}

/**
 * The functions that an expression may call. CEL has more, whose cost has no bound: regular expressions that backtrack,
 * time zone look-ups, and splitting, joining and binding of texts.
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

/** Refuses what no budget can bound: functions that are not in the list, and macros inside macros. */
function checkCost(node: ASTNode, inMacro: boolean): ExpressionProblem | undefined {
  const isMacro = node.op === 'rcall' && MACROS.has(node.args[0]);
  if (isMacro && inMacro) return { offset: node.start, message: 'a macro cannot stand inside another' };
  // Each `map` can make its list some dozen times as long.
  if (isMacro && mapsIn(node) > 2) {
    return { offset: node.start, message: 'more than two `map` in a row' };
  }
  if ((node.op === 'rcall' || node.op === 'call') && !FUNCTIONS.has(node.args[0])) {
    const known = [...FUNCTIONS].join(', ');
    return { offset: node.start, message: `\`${node.args[0]}\` is not available here; there is: ${known}` };
  }
  for (const child of childrenOf(node)) {
    // A macro evaluates its collection once, and its body once per element.
    const repeated = isMacro && child !== node.args[1];
    const wrong = checkCost(child, inMacro || repeated);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** @returns how many `map` calls are chained at a node, each over the result of another. */
function mapsIn(node: ASTNode): number {
  const own = node.op === 'rcall' && node.args[0] === 'map' ? 1 : 0;
  return own + Math.max(0, ...childrenOf(node).map(mapsIn));
}

/** Infers the type of an expression; `dyn` if only its value can tell. */
export function checkTypes(parsed: Parsed): { readonly type?: string; readonly problem?: ExpressionProblem } {
  const { valid, type, error } = parsed.check();
  if (!valid) return { problem: problemOf(error) };
  return type === undefined ? {} : { type };
}

function checkGuardTypes(parsed: Parsed): ExpressionProblem | undefined {
  const { type, problem } = checkTypes(parsed);
  if (problem !== undefined || type === undefined || type === 'bool' || type === 'dyn') return problem;
  return noBoolean(0, `a ${type}`);
}

/** The reason given for a guard that can never be true. */
export function noBoolean(offset: number, what: string): ExpressionProblem {
  return { offset, message: `a guard is true or false; this gives ${what}` };
}

/** Refuses a key that no event has. `has` may test any key. */
function checkEventKeys(ast: ASTNode): ExpressionProblem | undefined {
  for (const { name, offset } of keysAsked(ast, 'event')) {
    if (EVENT_KEYS.some((key) => key === name)) continue;
    const message = `an event has no key \`${name}\`; it has: ${EVENT_KEYS.join(', ')}`;
    return { offset, message, unknown: { name, known: EVENT_KEYS } };
  }
  return undefined;
}

/** Refuses an input that the chart does not have. */
function checkInputs(ast: ASTNode, known: readonly string[]): ExpressionProblem | undefined {
  const [unknown] = keysAsked(ast, 'inputs').filter(({ name }) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const { name, offset } = unknown;
  return { offset, message: `the chart has no input \`${name}\``, unknown: { name, known } };
}

/** Refuses arithmetic where CEL requires a boolean. */
function checkCondition(node: ASTNode): ExpressionProblem | undefined {
  if (node.op === '?:') return checkCondition(node.args[1]) ?? checkCondition(node.args[2]);
  if (!ARITHMETIC.has(node.op)) return undefined;
  return noBoolean(node.start, `what \`${node.op === '-_' ? '-' : node.op}\` comes to, which is neither`);
}

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '-_']);

/** Checks the operands of `&&`, `||` and `!`, and the conditions of `? :`. */
function checkConditions(node: ASTNode): ExpressionProblem | undefined {
  for (const condition of conditionsOf(node)) {
    const wrong = checkCondition(condition);
    if (wrong !== undefined) return { ...wrong, message: wrong.message.replace('a guard', 'a condition') };
  }
  for (const child of childrenOf(node)) {
    const wrong = checkConditions(child);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function conditionsOf(node: ASTNode): readonly ASTNode[] {
  if (node.op === '&&' || node.op === '||') return node.args;
  if (node.op === '!_') return [node.args];
  return node.op === '?:' ? [node.args[0]] : [];
}

/** A key of a variable in an expression, as in `context.failed` or `context["failed"]`. */
export interface AskedKey {
  readonly name: string;
  readonly offset: number;
}

/** @returns the keys of `variable` that an expression names, except those in `has`. */
export function keysAsked(node: ASTNode, variable: 'context' | 'event' | 'inputs'): AskedKey[] {
  if (node.op === 'call' && node.args[0] === 'has') return [];
  const inside = childrenOf(node).flatMap((child) => keysAsked(child, variable));
  const name = keyAsked(node, variable);
  if (name !== undefined) inside.push({ name, offset: node.start });
  // A macro's own variable can have the same name.
  const isShadowed = node.op === 'rcall' && MACROS.has(node.args[0]) && bindsName(node.args[2], variable);
  return isShadowed ? keysAsked(node.args[1], variable) : inside;
}

function keyAsked(node: ASTNode, variable: string): string | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [owner, key] = node.args;
  if (owner.op !== 'id' || owner.args !== variable) return undefined;
  if (typeof key === 'string') return key;
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}

function bindsName([bound]: readonly ASTNode[], name: string): boolean {
  return bound?.op === 'id' && bound.args === name;
}

/** @returns CEL's error. Any other error is a bug, and thrown. */
export function problemOf(error: unknown): ExpressionProblem {
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

function findMacros(node: ASTNode, name: string): ASTNode[] {
  const inside = childrenOf(node).flatMap((child) => findMacros(child, name));
  return node.op === 'rcall' && node.args[0] === name ? [node, ...inside] : inside;
}
