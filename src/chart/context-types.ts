/**
 * Type checks of expressions against what a chart's context can hold: what it starts with, and what is assigned.
 *
 * What is found depends on data, and run time has a rule for it (a guard that fails is false), so all of it is a
 * warning. Numbers count as one type, as they do at run time; a key that may hold several types is not checked.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { TYPED_TEXT } from '../limits.ts';
import { type ContextTypes, childrenOf, createEnvironment } from './cel.ts';
import {
  type AskedKey,
  type ExpressionProblem,
  type Json,
  keysAsked,
  noBoolean,
  problemOf,
} from './expression.ts';

/** An expression of a chart that could be read. */
export interface ExpressionUse {
  readonly source: string;
  readonly isGuard: boolean;
}

/** A key of the context, and what is assigned to it: an expression, or a scalar as it stands. */
export interface KeyAssignment {
  readonly key: string;
  readonly to: { readonly cel: string } | { readonly value: Json };
}

/**
 * Checks expressions against the context. Each text is looked at once, whatever the number of its uses, and no more of
 * them than a person writes.
 *
 * @param context what the chart starts with.
 * @param assignments all of the chart.
 * @returns what is wrong with which of `uses`.
 */
export function* checkContextUses<Use extends ExpressionUse>(
  uses: readonly Use[],
  context: { readonly [key: string]: Json },
  assignments: readonly KeyAssignment[],
): Generator<readonly [Use, ExpressionProblem]> {
  const known = new Set([...Object.keys(context), ...assignments.map(({ key }) => key)]);
  const parsed = parseAll([...uses.map(({ source }) => source), ...assignments.flatMap(sourceOf)]);
  const asked = [...parsed.values()].flatMap((expression) => expression.keys);
  // What every object of JavaScript has besides is left to run time.
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
  /** The keys of the context that it asks for. */
  readonly keys: readonly AskedKey[];
  /** Whether the context as a whole is asked for, and not only keys of it: the checker knows no type for that. */
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

/** Whether `context` stands anywhere but before a key that is named, or under `has`. */
function asksWhole(node: ASTNode): boolean {
  if (node.op === 'id') return node.args === 'context';
  const isNamed = node.op === '.' || (node.op === '[]' && node.args[1].op === 'value');
  const [owner] = isNamed ? node.args : [];
  if (typeof owner === 'object' && owner.op === 'id') return false;
  return childrenOf(node).some(asksWhole);
}

/**
 * The types of the keys. A key that is assigned has a type where all that is assigned has the type it starts with:
 * taken for so at first, and given up where it is not.
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
  // What was given up may take others with it: twice is enough for charts that people write.
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

/** CEL's type of a number that comes from JSON. */
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

  /** @returns the type of an expression's value; `dyn` where that is not known. */
  typeOf(source: string): string {
    const { type = 'dyn' } = this.#check(source);
    if (type === 'int') return NUMBER;
    return type.startsWith('list') ? 'list' : type.startsWith('map') ? 'map<string, dyn>' : type;
  }

  problem({ source, isGuard }: ExpressionUse): ExpressionProblem | undefined {
    // Without a key of a known type, nothing is known that was not known when it was read.
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

/** Whether run time knows no such error: an index may be any whole number, and a list's items of any kinds. */
function isHarmless(error: Error & { readonly code?: string }): boolean {
  const { code, message } = error;
  if (code === 'incompatible_ternary_branches' || code === 'no_such_key') return true;
  if (code === 'invalid_index_type') return message.includes(`'${NUMBER}'`);
  return code === 'no_such_overload' && message.includes('list<');
}
