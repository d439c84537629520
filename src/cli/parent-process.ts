/** The interval at which the parent's pid is checked, in ms. Node has no event for its end. */
const CHECK_INTERVAL = 250;

/**
 * Calls `end` once the parent process has ended. A `kill -9` of npm sends no signal to its child, and an orphaned server
 * would keep its port and its data folder.
 *
 * Only where npm or our launcher is the parent, which the environment tells: both live as long as their command. A shell
 * may end before its children, as under `nohup`.
 */
export function onParentEnd(env: NodeJS.ProcessEnv, end: () => void): void {
  if (env.npm_execpath === undefined && env.STATESERVICE_LAUNCHER === undefined) return;
  // An orphan gets another parent: init, or the nearest subreaper.
  const parent = process.ppid;
  const checks = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(checks);
    end();
  }, CHECK_INTERVAL);
  checks.unref();
}
