import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorCode, type Outcome, refuse } from './outcome.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; args: string[]; allowPositionals: boolean }>
>;

/**
 * Reads a command line, as every command does: a flag that is not known is refused in one sentence.
 *
 * @param allowPositionals whether there may be words that are no flags.
 */
export function readFlags<const T extends Options>(
  args: string[],
  options: T,
  allowPositionals = false,
): Outcome<Parsed<T>> {
  try {
    return { ok: true, value: parseArgs({ args, options, allowPositionals }) };
  } catch (error) {
    if (!(error instanceof Error) || !errorCode(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    // Node adds further sentences on how to escape a flag; the first one says what is wrong.
    const [what = error.message] = error.message.split(/\. |\n/);
    return refuse(`${what}; --help lists the flags`, 'usage');
  }
}
