/**
 * CEL (https://cel.dev) as charts use it: its variables, and operators that mix ints and doubles.
 */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { EXPRESSION_NODES, ONLY_NODES } from '../chart-limits.ts';

/** The results of `in_state` while a guard is evaluated, by name. */
export type Answers = ReadonlyMap<string, boolean>;

/** The types of a context's keys, by CEL's names for them. */
export type ContextTypes = Readonly<Record<string, string>>;

/** Of the guard that is being evaluated: evaluation is synchronous, one guard at a time. */
let answers: Answers = new Map();

/** Sets the results of `in_state`. */
export function setAnswers(next: Answers): void {
  answers = next;
}

/**
 * Creates an environment in which expressions are parsed, checked and evaluated.
 *
 * @param types of the context's keys, for a type check; without it, a key can have any type.
 */
export function createEnvironment(types?: ContextTypes): Environment {
  const environment = emptyEnvironment();
  if (types === undefined) environment.registerVariable('context', 'dyn').registerVariable('event', 'dyn');
  else
    environment
      .registerVariable({ name: 'context', schema: { ...types } })
      .registerVariable({ name: 'event', schema: { type: 'string', data: 'dyn' } });
  environment.registerVariable('inputs', 'dyn');
  environment.registerFunction('in_state(string): bool', (name: string) => answers.get(name) === true);
  return environment;
}

/** Creates an environment for short expressions over one variable, such as `member` of an `only`. */
export function createEnvironmentOver(variable: 'member' | 'claims'): Environment {
  return emptyEnvironment(ONLY_NODES).registerVariable(variable, 'dyn');
}

function emptyEnvironment(maxAstNodes = EXPRESSION_NODES): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes, maxDepth: 32, maxListElements: 64, maxMapEntries: 64 },
  });
  // CEL does not mix doubles and ints: a context's numbers are doubles, and a literal `1` is an int.
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    const mixed = (a: number | bigint, b: number | bigint) => apply(Number(a), Number(b));
    environment
      .registerOperator(`double ${operator} int`, mixed)
      .registerOperator(`int ${operator} double: double`, mixed);
  }
  environment.registerOperator('double % double', (a: number, b: number) => a % b);
  environment.registerOperator('double == int: bool', (a: number, b: bigint) => a === Number(b));
  return environment;
}

const ARITHMETIC = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
} as const;

/** Macros that evaluate a part of the expression for each element of a collection. */
export const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** @returns the child nodes of an expression's node. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
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
