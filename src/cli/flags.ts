import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorCode, type Result, refuse } from './result.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; args: string[]; allowPositionals: boolean; tokens: true }>
>;

/**
 * Parses the flags of a command. An unknown flag is refused in one sentence.
 *
 * @param allowPositionals whether arguments other than flags are allowed.
 */
export function readFlags<const T extends Options>(
  args: string[],
  options: T,
  allowPositionals = false,
): Result<Parsed<T>> {
  try {
    return { ok: true, value: parseArgs({ args, options, allowPositionals, tokens: true }) };
  } catch (error) {
    if (!(error instanceof Error) || !errorCode(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    // Node's further sentences explain how to escape a flag; the first says what is wrong.
    const [what = error.message] = error.message.split(/\. |\n/);
    return refuse(`${what}; --help lists the flags`, 'usage');
  }
}
