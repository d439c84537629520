/**
 * Checks the types of expressions against the types that a chart's context can have: those of its initial values and of
 * its assignments.
 *
 * All findings are warnings: they depend on data, and a guard that fails at run time is false. Numbers are one type, as
 * at run time; a key that can have several types is not checked.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { TYPED_TEXT } from '../chart-limits.ts';
import { type ContextTypes, childrenOf, createEnvironment } from './cel.ts';
import {
  type AskedKey,
  type ExpressionProblem,
  type Json,
  keysAsked,
  noBoolean,
  problemOf,
} from './expression.ts';

/** An expression of a chart, after it was parsed. */
export interface ExpressionUse {
  readonly source: string;
  readonly isGuard: boolean;
}

/** An assignment to a key of the context: of an expression, or of a scalar. */
export interface KeyAssignment {
  readonly key: string;
  readonly to: { readonly cel: string } | { readonly value: Json };
}

/**
 * Checks expressions against the context. Each distinct text is checked once, up to `TYPED_TEXT` characters in all.
 *
 * @param context the initial context.
 * @param assignments all assignments of the chart.
 * @returns the findings, each with its use.
 */
export function* checkContextUses<Use extends ExpressionUse>(
  uses: readonly Use[],
  context: { readonly [key: string]: Json },
  assignments: readonly KeyAssignment[],
): Generator<readonly [Use, ExpressionProblem]> {
  const known = new Set([...Object.keys(context), ...assignments.map(({ key }) => key)]);
  const parsed = parseAll([...uses.map(({ source }) => source), ...assignments.flatMap(sourceOf)]);
  const asked = [...parsed.values()].flatMap((expression) => expression.keys);
  // Properties that every JavaScript object has are left to run time.
  const keys = new Set(
    asked.map(({ name }) => name).filter((name) => known.has(name) && !(name in Object.prototype)),
  );
  const checker = new Checker(parsed, typesOf(keys, context, assignments, parsed));
  const names = [...known];
  for (const use of uses) {
    const expression = parsed.get(use.source);
    if (expression === undefined) continue;
    const missing = expression.keys.filter(({ name }) => !known.has(name));
    for (const { name, offset } of missing) {
      const message = `no key \`${name}\` is in the context, and none is assigned`;
      yield [use, { offset, message, unknown: { name, known: names } }];
    }
    const problem = missing.length > 0 ? undefined : checker.problem(use);
    if (problem !== undefined) yield [use, problem];
  }
}

interface Expression {
  /** The keys of the context that it uses. */
  readonly keys: readonly AskedKey[];
  /** Whether it uses the context or the event as a whole, for which the checker has no type. */
  readonly isWhole: boolean;
}

const untyped = createEnvironment();

function parseAll(sources: readonly string[]): ReadonlyMap<string, Expression> {
  const parsed = new Map<string, Expression>();
  let length = 0;
  for (const source of sources) {
    if (parsed.has(source)) continue;
    length += source.length;
    if (length > TYPED_TEXT) break;
    const { ast } = untyped.parse(source);
    parsed.set(source, { keys: keysAsked(ast, 'context'), isWhole: asksWhole(ast) });
  }
  return parsed;
}

function sourceOf({ to }: KeyAssignment): string[] {
  return 'cel' in to ? [to.cel] : [];
}

/** Whether `context` or `event` is used other than before a named key or inside `has`. */
function asksWhole(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'context' || node.args === 'event';
  const isNamed = node.op === '.' || (node.op === '[]' && node.args[1].op === 'value');
  const [owner] = isNamed ? node.args : [];
  if (typeof owner === 'object' && owner.op === 'id') return false;
  return childrenOf(node).some(asksWhole);
}

/**
 * The types of the keys. An assigned key has a type if every assignment has the type of the initial value. This is
 * assumed first, and dropped for keys where it does not hold.
 */
function typesOf(
  keys: ReadonlySet<string>,
  context: { readonly [key: string]: Json },
  assignments: readonly KeyAssignment[],
  parsed: ReadonlyMap<string, Expression>,
): ContextTypes {
  const own = new Map(
    [...keys].map((key) => [key, typeOf(Object.hasOwn(context, key) ? context[key] : null)]),
  );
  const settle = () => {
    const checker = new Checker(parsed, Object.fromEntries(own));
    const open = assignments.filter(({ key, to }) => {
      const type = own.get(key);
      if (type === undefined || type === 'dyn') return false;
      return ('cel' in to ? checker.typeOf(to.cel) : typeOf(to.value)) !== type;
    });
    for (const { key } of open) own.set(key, 'dyn');
    return open.length === 0;
  };
  // A dropped key can cause others to be dropped: two rounds suffice for charts in practice.
  if (!settle() && !settle()) for (const { key } of assignments) if (own.has(key)) own.set(key, 'dyn');
  return Object.fromEntries(own);
}

function typeOf(value: Json | undefined): string {
  if (typeof value === 'number') return NUMBER;
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' && value !== null ? 'map<string, dyn>' : 'dyn';
}

/** CEL's type of a JSON number. */
const NUMBER = 'double';

class Checker {
  readonly #typed: ReadonlySet<string>;
  readonly #environment: ReturnType<typeof createEnvironment>;
  readonly #parsed: ReadonlyMap<string, Expression>;
  readonly #results = new Map<string, { readonly type?: string; readonly problem?: ExpressionProblem }>();

  constructor(parsed: ReadonlyMap<string, Expression>, types: ContextTypes) {
    this.#parsed = parsed;
    this.#typed = new Set(Object.keys(types).filter((key) => types[key] !== 'dyn'));
    this.#environment = createEnvironment(types);
  }

  /** @returns the type of an expression's value; `dyn` if it is not known. */
  typeOf(source: string): string {
    const { type = 'dyn' } = this.#check(source);
    if (type === 'int') return NUMBER;
    return type.startsWith('list') ? 'list' : type.startsWith('map') ? 'map<string, dyn>' : type;
  }

  problem({ source, isGuard }: ExpressionUse): ExpressionProblem | undefined {
    // Without a key of a known type, there is nothing to find that parsing has not found.
    const isTyped = this.#parsed.get(source)?.keys.some(({ name }) => this.#typed.has(name));
    if (!isTyped) return undefined;
    const { problem } = this.#check(source);
    if (problem !== undefined || !isGuard) return problem;
    const type = this.typeOf(source);
    if (type === 'bool' || type === 'dyn') return undefined;
    return noBoolean(0, type === NUMBER ? 'a number' : `a ${type.replace(/<.*/, '')}`);
  }

  #check(source: string): { readonly type?: string; readonly problem?: ExpressionProblem } {
    const known = this.#results.get(source);
    if (known !== undefined) return known;
    const expression = this.#parsed.get(source);
    const result = expression === undefined || expression.isWhole ? {} : this.#checked(source);
    this.#results.set(source, result);
    return result;
  }

  #checked(source: string): { readonly type?: string; readonly problem?: ExpressionProblem } {
    const { valid, type, error } = this.#environment.check(source);
    if (valid) return type === undefined ? {} : { type };
    if (error === undefined || isHarmless(error)) return {};
    const { offset, message } = problemOf(error);
    return { problem: { offset, message: message.replaceAll(/\b(?:double|int)\b/g, 'number') } };
  }
}

/** Whether the finding is no error at run time: an index can be any integer, and the items of a list of any types. */
function isHarmless(error: Error & { readonly code?: string }): boolean {
  const { code, message } = error;
  if (code === 'incompatible_ternary_branches' || code === 'no_such_key') return true;
  if (code === 'invalid_index_type') return message.includes(`'${NUMBER}'`);
  return code === 'no_such_overload' && message.includes('list<');
}
