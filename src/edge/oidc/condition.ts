/** Expressions of the variable `OIDC`: CEL over `claims`, the claims of a token whose signature is valid. */
import { createEnvironmentOver } from '../../chart/cel.ts';
import { checkTruth, checkTypes, parseExpression } from '../../chart/expression.ts';

/** The claims of a token, as its JSON has them. */
export type ClaimSet = Readonly<Record<string, unknown>>;

/** An expression that was checked, or what is wrong with it. */
export type Compiled<Value> =
  | { readonly ok: true; readonly evaluate: (claims: ClaimSet) => Value }
  | { readonly ok: false; readonly message: string };

const environment = createEnvironmentOver('claims');

/** Compiles a condition. Only `true` is true: one that cannot be evaluated, as a claim is missing, is not. */
export function compileCondition(source: string): Compiled<boolean> {
  const parsed = parseExpression(source, environment);
  const problem = 'message' in parsed ? parsed : checkTruth(parsed);
  if (problem !== undefined || 'message' in parsed) {
    return { ok: false, message: problem?.message.replace('a guard', 'a condition') ?? '' };
  }
  return { ok: true, evaluate: (claims) => evaluated(parsed, claims) === true };
}

/** Compiles the expression of a name. One that cannot be evaluated, or gives no text, is undefined. */
export function compileName(source: string): Compiled<string | undefined> {
  const parsed = parseExpression(source, environment);
  if ('message' in parsed) return { ok: false, message: parsed.message };
  const { type, problem } = checkTypes(parsed);
  if (problem !== undefined) return { ok: false, message: problem.message };
  if (type !== 'string' && type !== 'dyn')
    return { ok: false, message: `a name is a text; this gives a ${type}` };
  return {
    ok: true,
    evaluate: (claims) => {
      const value = evaluated(parsed, claims);
      return typeof value === 'string' ? value : undefined;
    },
  };
}

/** @returns undefined if the expression fails: CEL throws errors of several kinds. */
function evaluated(run: (scope: Record<string, unknown>) => unknown, claims: ClaimSet): unknown {
  try {
    return run({ claims });
  } catch {
    return undefined;
  }
}
