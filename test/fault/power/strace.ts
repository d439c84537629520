/** Runs a command under `strace`, and reads what it wrote. */

/** Calls that change files or make them durable, and those that write to a socket. */
const TRACED = [
  ...['open', 'openat', 'creat', 'mkdir', 'mkdirat', 'unlink', 'unlinkat', 'rmdir'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendfile', 'copy_file_range', 'splice'],
  ...['truncate', 'ftruncate', 'fallocate', 'mmap', 'msync', 'io_uring_setup'],
  ...['fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync', 'sendmsg', 'sendto'],
];

/** The longest text of an argument in the trace, in bytes. SQLite writes pages of 4,096 bytes. */
const TEXT_MAX = 65_536;

/**
 * The words in front of a command that is traced. The tracer is no parent of the command, whose pid is that of the
 * process that was started (`-D`).
 *
 * @param file where the trace is written
 * @param inject what happens to calls, as strace(1) says: `fsync:signal=SIGKILL:when=40`
 */
export function straced(file: string, inject?: string): string[] {
  const flags = ['-D', '-f', '-qq', '-yy', '-Y', '-xx', '-s', String(TEXT_MAX), '-o', file];
  // Stopping at the traced calls only is faster, but then strace 6.1 injects no signals.
  const more = inject === undefined ? ['--seccomp-bpf'] : ['-e', `inject=${inject}`];
  return ['strace', ...flags, '-e', `trace=${TRACED.join()}`, ...more];
}

/** A system call. */
export interface SystemCall {
  /** The name of the thread: `workerd`. */
  readonly thread: string;
  readonly name: string;
  /** As strace writes them. Paths and data are hexadecimal (`unquote`). */
  readonly args: string;
  /** `0`, `-1 ENOENT (…)`, `22</path>`; `?` if the process was killed in the call. */
  readonly result: string;
  /** The lines of the trace at which it began and returned. */
  readonly entered: number;
  readonly left: number;
}

/**
 * Reads a trace, in the order in which the calls returned.
 *
 * @param parts hexadecimal texts (`hexOf`); calls without any of them are left out
 * @param from the number of the first line
 */
export function* readTrace(text: string, parts: readonly string[], from: number): Generator<SystemCall> {
  const begun = new Map<string, { readonly head: string; readonly entered: number }>();
  let left = from;
  for (const line of text.split('\n')) {
    left += 1;
    const [, pid = '', thread = '', said = ''] = /^(\d+)<([^>]*)> +(\w.*|<\.\.\. .*)$/.exec(line) ?? [];
    const [, head, end = ''] = /^(.*) <unfinished \.\.\.>(.*)$/.exec(said) ?? [];
    const [resumed] = /^<\.\.\. \w+ resumed>/.exec(said) ?? [];
    const first = begun.get(pid);
    if (head !== undefined && end === '') {
      begun.set(pid, { head, entered: left });
      continue;
    }
    const rest = head === undefined ? said : head + end;
    const whole = resumed === undefined ? rest : (first?.head ?? '') + rest.slice(resumed.length);
    if (resumed !== undefined) begun.delete(pid);
    if (!parts.some((part) => whole.includes(part))) continue;
    const [, name, args, result] = /^(\w+)\((.*)\) += (.*)$/.exec(whole) ?? [];
    if (name === undefined || args === undefined || result === undefined)
      throw new Error(`strace wrote a line that is no call: ${whole.slice(0, 200)}`);
    const entered = resumed === undefined ? left : (first?.entered ?? left);
    yield { thread: unquote(thread).toString(), name, args, result, entered, left };
  }
}

/** Writes a text as strace does. */
export function hexOf(text: string): string {
  return Buffer.from(text).toString('hex').replaceAll(/../g, '\\x$&');
}

/** Reads what strace wrote. */
export function unquote(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
