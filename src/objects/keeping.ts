/** What is kept at a chart's own address while its machine cannot begin, because the chart has inputs that must be given. */
import type { Address } from '../address.ts';
import { writeBeginning } from '../chart/chart.ts';
import type { Command, MembersChanged, Outcome, SetMembers, StrikeMember, Upload } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { MachineStore } from '../store/machine-store.ts';
import type { ReadChart } from './chart-source.ts';
import { listAfter, membersChanged } from './member-changes.ts';
import { noSuchMember } from './member-refusals.ts';
import { noRevision } from './refusals.ts';

/** A command whose effect is kept for the runs of the chart, and for the machine itself. */
type Kept = Upload | SetMembers | StrikeMember;

export function isKept(command: Command): command is Kept {
  return command.type === 'upload' || command.type === 'members' || command.type === 'strike';
}

/** Executes one. @param read the chart with which the machine cannot begin: of an `upload`, the one that is uploaded. */
export function keep(store: MachineStore, address: Address, command: Kept, read: ReadChart): Outcome {
  return command.type === 'upload' ? keepUpload(store, read) : keepMembers(store, address, command);
}

function keepUpload(store: MachineStore, { chart, source, warnings }: ReadChart): Outcome {
  const created = store.upload() === undefined;
  const { hash } = source;
  store.keepUpload({ hash, text: writeBeginning(chart, source.text) });
  return { ok: true, created, dialect: chart.definition.dialect, hash, warnings, revision: 0 };
}

function keepMembers(
  store: MachineStore,
  address: Address,
  command: SetMembers | StrikeMember,
): MembersChanged | Refusal {
  if (command.revisions !== undefined) return noRevision(address);
  const before = store.members.read();
  const change = listAfter(before?.members, command);
  if (!change.ok) return noSuchMember(change.stranger, before?.members);
  const { members, difference } = change;
  // A moment, because there is no revision: none comes again, also after a list that was taken away.
  const revision = Math.max(Date.now(), (before?.revision ?? 0) + 1);
  if (difference !== undefined) store.keepMembers(members === undefined ? null : { revision, members });
  return membersChanged(change, 0);
}
