/** The reader of traces, on lines as strace 6.1 writes them. */
import { describe, expect, it } from 'vitest';
import { hexOf } from './strace.ts';
import { type Step, stepsOf, UncertainTrace } from './trace.ts';

const ROOT = '/tmp/root';

describe('a trace', () => {
  it('has the changes of files, by their paths in the folder', () => {
    const file = `18<${hexOf('/tmp/root/data/a')}>`;
    expect(
      read(
        `mkdirat(11<${hexOf('/')}>, "${hexOf('tmp/root/data')}", 0777) = 0`,
        `openat(14<${hexOf('/tmp/root/data')}>, "${hexOf('a')}", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = ${file}`,
        `pwrite64(${file}, "${hexOf('text')}", 4, 8) = 4`,
        `ftruncate(${file}, 3) = 0`,
        `mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, ${file}, 0) = 0x7f8ad61a7000`,
        `fsync(${file}) = 0`,
        `unlinkat(14<${hexOf('/tmp/root/data')}>, "${hexOf('a')}", 0) = 0`,
        `rename("${hexOf('/tmp/root/b')}", "${hexOf('/tmp/root/c')}") = 0`,
        `fsync(20<${hexOf('/tmp/root')}>) = 0`,
      ),
    ).toEqual([
      { type: 'folder', path: 'data', left: 1 },
      { type: 'create', path: 'data/a', left: 2 },
      { type: 'write', path: 'data/a', offset: 8, data: Buffer.from('text'), left: 3 },
      { type: 'resize', path: 'data/a', size: 3, left: 4 },
      { type: 'map', path: 'data/a', left: 5 },
      { type: 'sync', path: 'data/a', entered: 6, left: 6, by: 'workerd' },
      { type: 'remove', path: 'data/a', left: 7 },
      { type: 'rename', path: 'b', to: 'c', left: 8 },
      { type: 'sync', path: '', entered: 9, left: 9, by: 'workerd' },
    ]);
  });

  it('has only what was written of a write', () => {
    const [step] = read(`pwrite64(18<${hexOf('/tmp/root/a')}>, "${hexOf('text')}", 4, 0) = 2`);
    expect(step).toMatchObject({ data: Buffer.from('te') });
  });

  it('has no failed calls, and none of other files', () => {
    expect(
      read(
        `unlink("${hexOf('/tmp/root/a')}") = -1 ENOENT (No such file or directory)`,
        `fsync(18<${hexOf('/tmp/root/a')}>) = -1 EIO (Input/output error)`,
        `fsync(18<${hexOf('/tmp/other')}>) = 0`,
        `write(1<${hexOf('/dev/null')}>, "${hexOf('about /tmp/root')}", 15) = 15`,
        `+++ exited with 0 +++`,
      ),
    ).toEqual([]);
  });

  it('has a call of another thread when it returned, and knows when it began', () => {
    const threads = [
      `7<${hexOf('libuv-worker')}> fsync(18<${hexOf('/tmp/root/a')}> <unfinished ...>`,
      `8<${hexOf('workerd')}> fsync(19<${hexOf('/tmp/root/b')}>) = 0`,
      `7<${hexOf('libuv-worker')}> <... fsync resumed>) = 0`,
    ];
    expect(stepsOf([threads.join('\n')], ROOT)).toEqual([
      { type: 'sync', path: 'b', entered: 2, left: 2, by: 'workerd' },
      { type: 'sync', path: 'a', entered: 1, left: 3, by: 'command line' },
    ]);
  });

  it('has the beginning of each response', () => {
    const socket = '4<TCP:[127.0.0.1:5000->127.0.0.1:40000]>';
    expect(
      read(
        `writev(${socket}, [{iov_base="${hexOf('HTTP/1.1 200 OK\r\n')}", iov_len=17}, {iov_base="", iov_len=0}], 2) = 17`,
        `write(${socket}, "${hexOf('the body')}", 8) = 8`,
        `write(27<TCP:[127.0.0.1:40000->127.0.0.1:5000]>, "${hexOf('GET / HTTP/1.1\r\n')}", 16) = 16`,
      ),
    ).toEqual([{ type: 'answer', connection: '127.0.0.1:5000->127.0.0.1:40000', left: 1 }]);
  });

  it('continues in the trace of the next server', () => {
    const sync = `7<${hexOf('workerd')}> fsync(18<${hexOf('/tmp/root/a')}>) = 0`;
    expect(stepsOf([`${sync}\n`, `${sync}\n`], ROOT).map(({ left }) => left)).toEqual([1, 3]);
  });

  it('is uncertain if it ends in a change, and not if it ends in a sync', () => {
    const write = `pwrite64(18<${hexOf('/tmp/root/a')}>, "${hexOf('text')}", 4, 0`;
    expect(() => read(`${write}) = ?`)).toThrow(UncertainTrace);
    expect(() => read(`${write} <unfinished ...>) = ?`)).toThrow(UncertainTrace);
    expect(read(`fsync(18<${hexOf('/tmp/root/a')}>) = ?`)).toEqual([]);
  });

  it.each([
    ['a call that the model does not know', `fallocate(18<${hexOf('/tmp/root/a')}>, 0, 0, 4096) = 0`],
    ['a file that syncs itself', `openat(3<${hexOf('/tmp/root')}>, "${hexOf('a')}", O_RDWR|O_DSYNC) = 4`],
    ['data that was cut', `pwrite64(18<${hexOf('/tmp/root/a')}>, "${hexOf('text')}"..., 9, 0) = 9`],
    ['a file without a name', `fsync(18<${hexOf('/tmp/root/a')}>(deleted)) = 0`],
  ])('is refused with %s', (_, line) => {
    expect(() => read(line)).toThrow();
  });
});

/** Reads calls of a thread of workerd. */
function read(...calls: string[]): Step[] {
  return stepsOf([calls.map((call) => `7<${hexOf('workerd')}> ${call}`).join('\n')], ROOT);
}
