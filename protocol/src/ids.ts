/**
 * Branded identifiers. An id is a prefix that names its kind, an underscore and 22 characters of base64url
 * (128 random bits): it can be read in a log, and an id of one kind never passes for another.
 */
declare const brand: unique symbol;
export type Branded<Kind extends string> = string & { readonly [brand]: Kind };

export type ProjectId = Branded<'ProjectId'>;
export type DeviceId = Branded<'DeviceId'>;
export type TaskId = Branded<'TaskId'>;
export type RoundId = Branded<'RoundId'>;
export type GroupId = Branded<'GroupId'>;
export type AssignmentId = Branded<'AssignmentId'>;
export type VersionId = Branded<'VersionId'>;
export type JobId = Branded<'JobId'>;
export type KeyId = Branded<'KeyId'>;
export type EnrolmentTokenId = Branded<'EnrolmentTokenId'>;
export type ReleaseId = Branded<'ReleaseId'>;
export type PersonId = Branded<'PersonId'>;
export type MemberId = Branded<'MemberId'>;

/** The prefix of each kind of id. */
export const idPrefix = {
  project: 'prj',
  device: 'dev',
  task: 'tsk',
  round: 'rnd',
  group: 'grp',
  assignment: 'asg',
  version: 'ver',
  job: 'job',
  key: 'key',
  enrolmentToken: 'enr',
  release: 'rel',
  person: 'per',
  member: 'mbr',
} as const;

export type IdKind = keyof typeof idPrefix;

export interface IdOf {
  project: ProjectId;
  device: DeviceId;
  task: TaskId;
  round: RoundId;
  group: GroupId;
  assignment: AssignmentId;
  version: VersionId;
  job: JobId;
  key: KeyId;
  enrolmentToken: EnrolmentTokenId;
  release: ReleaseId;
  person: PersonId;
  member: MemberId;
}

/** The pattern (for JSON Schema) that ids of this kind match. */
export function idPattern(kind: IdKind): string {
  return `^${idPrefix[kind]}_[A-Za-z0-9_-]{22}$`;
}

/** Makes an id of a kind from 22 characters of base64url (128 random bits, made by the caller). */
export function makeId<K extends IdKind>(kind: K, random: string): IdOf[K] {
  const id = `${idPrefix[kind]}_${random}`;
  if (!isId(kind, id)) throw new RangeError(`An id needs 22 characters of base64url, not ${random.length}.`);
  return id;
}

/** Whether a string is an id of this kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is IdOf[K] & string {
  return new RegExp(idPattern(kind)).test(text);
}
