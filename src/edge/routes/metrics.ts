import type { Metrics } from '../../objects/counters.ts';
import { EXPOSITION, type Family, type Sample, writeFamilies } from '../exposition.ts';
import type { MachineResource } from '../resource.ts';
import { document, etag, problem } from '../responses.ts';

/** A machine's numbers. A tenant's: `tenant-metrics.ts`. */
export const metrics: MachineResource = {
  path: '/metrics',
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'metrics',
        summary: 'Numbers for Prometheus.',
        answers: { 200: { says: 'Text, 0.0.4.', content: { 'text/plain': 'text' }, headers: ['ETag'] } },
      },
      async answer(_, machine) {
        const answer = await machine.read({ type: 'metrics' });
        if (!answer.ok) return problem(answer);
        return document(writeFamilies(familiesOf(answer), { machine: machine.name }), EXPOSITION, {
          ETag: etag(answer.revision),
        });
      },
    },
  },
};

function familiesOf(metrics: Metrics): Family[] {
  const {
    revision,
    isDone,
    isPaused = false,
    states,
    updates,
    transitions,
    waiters,
    streams,
    sockets,
    claims,
    openings = [],
    quorums,
    members = [],
    hooks = [],
  } = metrics;
  return [
    {
      name: 'state',
      type: 'gauge',
      help: 'Whether the state is current.',
      samples: states.map(({ state, current }) => [{ state }, current === null ? 0 : 1]),
    },
    {
      name: 'state_seconds',
      type: 'gauge',
      help: 'For how long the state has been current.',
      samples: states.flatMap(({ state, current }): Sample[] =>
        current === null ? [] : [[{ state }, current / 1_000]],
      ),
    },
    {
      name: 'done',
      type: 'gauge',
      help: 'Whether nothing more can happen.',
      samples: [[{}, isDone ? 1 : 0]],
    },
    {
      name: 'paused',
      type: 'gauge',
      help: 'Whether the machine is paused.',
      samples: [[{}, isPaused ? 1 : 0]],
    },
    { name: 'revision', type: 'gauge', help: 'Committed changes.', samples: [[{}, revision]] },
    {
      name: 'updates_total',
      type: 'counter',
      help: 'Reports by what they were answered. Refusals and repeats since the last change are lost when the machine sleeps.',
      samples: updates.map(({ answer, count }) => [{ answer }, count]),
    },
    {
      name: 'transitions_total',
      type: 'counter',
      help: 'Changes of the current states.',
      samples: [[{}, transitions]],
    },
    {
      name: 'waiters',
      type: 'gauge',
      help: 'Calls that wait: requests of one edge for the same thing share one.',
      samples: [[{}, waiters]],
    },
    {
      name: 'watchers',
      type: 'gauge',
      help: 'Streams of events and WebSockets that watch.',
      samples: [
        [{ kind: 'stream' }, streams],
        [{ kind: 'websocket' }, sockets],
      ],
    },
    {
      name: 'claims',
      type: 'gauge',
      help: 'Slots of the state that are held.',
      samples: claims.map(({ state, held }) => [{ state }, held]),
    },
    {
      name: 'slots',
      type: 'gauge',
      help: 'Slots that the state has.',
      samples: claims.map(({ state, slots }) => [{ state }, slots]),
    },
    {
      name: 'open',
      type: 'gauge',
      help: 'Whether the windows of the current state are open.',
      samples: openings.map(({ state, open }) => [{ state }, open ? 1 : 0]),
    },
    {
      name: 'expected',
      type: 'gauge',
      help: 'Members that the state is for.',
      samples: members.map(({ state, expected }) => [{ state }, expected]),
    },
    {
      name: 'missing',
      type: 'gauge',
      help: 'Of these, members that have not reported in this visit of the state.',
      samples: members.map(({ state, missing }) => [{ state }, missing]),
    },
    {
      name: 'hook_set',
      type: 'gauge',
      help: 'Whether the deployer has set the hook that the chart names.',
      samples: hooks.map(({ hook, isSet }) => [{ hook }, isSet ? 1 : 0]),
    },
    {
      name: 'notifications_pending',
      type: 'gauge',
      help: 'Messages to the hook that are to be sent.',
      samples: hooks.map(({ hook, pending }) => [{ hook }, pending]),
    },
    {
      name: 'notifications_failed',
      type: 'gauge',
      help: 'Messages to the hook that were given up, of those that are kept.',
      samples: hooks.map(({ hook, failed }) => [{ hook }, failed]),
    },
    {
      name: 'notifications_dropped_total',
      type: 'counter',
      help: 'Messages to the hook that were dropped before they were sent.',
      samples: hooks.map(({ hook, dropped }) => [{ hook }, dropped]),
    },
    {
      name: 'quorum',
      type: 'gauge',
      help: 'Events that were counted in this visit of the state.',
      samples: quorums.map(({ state, event, have }) => [{ state, event }, have]),
    },
    {
      name: 'quorum_needed',
      type: 'gauge',
      help: 'Events at which the state is left.',
      samples: quorums.flatMap(({ state, event, need }): Sample[] =>
        need === null ? [] : [[{ state, event }, need]],
      ),
    },
  ];
}
