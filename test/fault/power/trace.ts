/** What a server did to its data folder, and when it answered, from the traces of its processes. */
import { posix } from 'node:path';
import { hexOf, readTrace, type SystemCall, unquote } from './strace.ts';

/** One step of a server. Paths are relative to the folder that was traced, which is ''. */
export type Step = { readonly left: number } & (Change | Sync | Answered);

/** A change of the page cache. */
export type Change =
  | { readonly type: 'create' | 'folder' | 'remove' | 'map'; readonly path: string }
  | { readonly type: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly type: 'write'; readonly path: string; readonly offset: number; readonly data: Buffer }
  | { readonly type: 'resize'; readonly path: string; readonly size: number };

/** A sync that returned. It covers what had returned when it was `entered`. */
export interface Sync {
  readonly type: 'sync';
  readonly path: string;
  readonly entered: number;
  readonly by: 'workerd' | 'command line';
}

/** The first bytes of a response were given to the system. */
interface Answered {
  readonly type: 'answer';
  /** `127.0.0.1:5000->127.0.0.1:40000`: the server, and the client. */
  readonly connection: string;
}

/** The server was killed in a call that changes its folder: it may have happened or not. */
export class UncertainTrace extends Error {}

/**
 * @param texts the traces of the servers that ran on a folder, one after the other
 * @param root the absolute path of the folder
 * @throws `UncertainTrace`; an error for every call that the model of the disk does not know
 */
export function stepsOf(texts: readonly string[], root: string): Step[] {
  // Without the slash: workerd opens its folder as a name in the root of the system.
  const parts = [hexOf(root.slice(1)), hexOf(RESPONSE), 'io_uring_setup'];
  const steps: Step[] = [];
  let from = 0;
  for (const text of texts) {
    for (const call of readTrace(text, parts, from)) {
      const connection = responseOf(call);
      if (connection !== undefined) steps.push({ type: 'answer', connection, left: call.left });
      else if (!call.result.startsWith('-1 ')) steps.push(...stepsBy(call, root));
    }
    from += text.split('\n').length;
  }
  return steps;
}

/** How a response begins. */
const RESPONSE = 'HTTP/1.1 ';

/** @returns the connection of a call that sends the beginning of a response. */
function responseOf({ args }: SystemCall): string | undefined {
  const [, connection, text = ''] = /^\d+<TCP:\[([^\]]+)\]>, (?:\[\{iov_base=)?"([^"]*)"/.exec(args) ?? [];
  return text.startsWith(hexOf(RESPONSE)) ? connection : undefined;
}

function stepsBy(call: SystemCall, root: string): Step[] {
  const { name, args, left, entered, thread } = call;
  const paths = pathsOf(call).map((path) => posix.relative(root, path));
  const [path, to] = paths;
  if (path === undefined || paths.every((inside) => inside.startsWith('..'))) return [];
  if (/^f(data)?sync$/.test(name)) {
    if (call.result !== '0') return [];
    return [{ type: 'sync', path, entered, left, by: thread === 'workerd' ? 'workerd' : 'command line' }];
  }
  const changes = changesBy(call, path, to);
  if (call.result === '?' && changes.length > 0) throw new UncertainTrace(`killed in ${name}(${path})`);
  return changes.map((change) => ({ ...change, left }));

  function changesBy({ result }: SystemCall, path: string, to: string | undefined): Change[] {
    switch (name) {
      case 'open':
      case 'openat': {
        if (/O_D?SYNC|O_TMPFILE/.test(args)) break;
        const created: Change[] = /O_CREAT/.test(args) ? [{ type: 'create', path }] : [];
        return /O_TRUNC/.test(args) ? [...created, { type: 'resize', path, size: 0 }] : created;
      }
      case 'mkdir':
      case 'mkdirat':
        return [{ type: 'folder', path }];
      case 'unlink':
      case 'unlinkat':
      case 'rmdir':
        return [{ type: 'remove', path }];
      case 'rename':
      case 'renameat':
      case 'renameat2':
      case 'link':
      case 'linkat':
        if (to === undefined || args.includes('RENAME_')) break;
        return [{ type: name.startsWith('rename') ? 'rename' : 'link', path, to }];
      case 'pwrite64': {
        const [, text, offset] = /, "([^"]*)", \d+, (\d+)$/.exec(args) ?? [];
        if (text === undefined) break;
        const written = result === '?' ? 0 : Number(result);
        return [{ type: 'write', path, offset: Number(offset), data: unquote(text).subarray(0, written) }];
      }
      case 'truncate':
      case 'ftruncate':
        return [{ type: 'resize', path, size: Number(/, (\d+)$/.exec(args)?.[1]) }];
      case 'mmap':
        return /PROT_WRITE.*MAP_SHARED/.test(args) ? [{ type: 'map', path }] : [];
    }
    throw new Error(`the model of the disk does not know ${name}(${args.slice(0, 200)})`);
  }
}

const HEX = '((?:\\\\x[0-9a-f]{2})*)';
/** A name in an open folder; an open file; a path. */
const NAME = new RegExp(`(?:AT_FDCWD|\\d+)<${HEX}>, "${HEX}"`, 'g');
const FILE = new RegExp(`\\d+<${HEX}>(\\(deleted\\))?`);
const PATH = new RegExp(`"${HEX}"`, 'g');

/** @returns the absolute paths that a call is about. */
function pathsOf({ name, args }: SystemCall): string[] {
  const text = (hex = '') => unquote(hex).toString();
  if (/at2?$/.test(name))
    return [...args.matchAll(NAME)].map(([, folder, path]) => posix.resolve(text(folder), text(path)));
  if (/^(open|mkdir|unlink|rmdir|rename|link|truncate)$/.test(name))
    return [...args.matchAll(PATH)].map(([, path]) => text(path));
  const [, path, deleted] = FILE.exec(args) ?? [];
  if (deleted !== undefined) throw new Error(`${name} is for a file without a name: ${text(path)}`);
  return path === undefined ? [] : [text(path)];
}
