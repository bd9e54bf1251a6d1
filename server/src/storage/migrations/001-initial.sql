-- Tenants, devices, models, tasks and the rows behind the four state machines (protocol/src/states.ts).
-- `version` counts the changes of a row that several nodes may move: every change is UPDATE … WHERE state AND version.

create table settings (
  name text primary key,
  value jsonb not null
);

create table projects (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table api_keys (
  id text primary key,
  project_id text not null references projects,
  name text not null,
  hash text not null unique,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

create table enrolment_tokens (
  id text primary key,
  project_id text not null references projects,
  hash text not null unique,
  labels jsonb not null default '{}',
  max_uses int,
  uses int not null default 0,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

create table devices (
  id text primary key,
  project_id text not null references projects,
  public_key text not null,
  labels jsonb not null default '{}',
  platform text not null,
  sdk_version text not null,
  state text not null default 'active' check (state in ('active', 'revoked')),
  created_at timestamptz not null default now(),
  unique (project_id, public_key)
);

create table blobs (
  project_id text not null references projects,
  sha256 text not null,
  bytes bigint not null,
  created_at timestamptz not null default now(),
  primary key (project_id, sha256)
);

create table models (
  project_id text not null references projects,
  digest text not null,
  name text not null,
  ir jsonb not null,
  parameters int not null,
  input_shape jsonb not null,
  classes int not null,
  created_at timestamptz not null default now(),
  primary key (project_id, digest)
);

create table tasks (
  id text primary key,
  project_id text not null references projects,
  name text not null,
  model_digest text not null,
  plan jsonb not null,
  state text not null,
  reason text,
  rounds_published int not null default 0,
  current_version text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (project_id, model_digest) references models (project_id, digest)
);
create index tasks_by_project on tasks (project_id, id);

create table model_versions (
  id text primary key,
  project_id text not null references projects,
  task_id text not null references tasks,
  number int not null,
  digest text not null,
  weights text not null,
  bytes bigint not null,
  parent text references model_versions,
  round_id text,
  optimiser_state text,
  created_at timestamptz not null default now(),
  unique (task_id, number)
);

create table rounds (
  id text primary key,
  project_id text not null references projects,
  task_id text not null references tasks,
  sequence int not null,
  kind text not null check (kind in ('statistics', 'training', 'evaluation')),
  number int not null,
  state text not null,
  reason text,
  version int not null default 0,
  requested boolean not null default false,
  evaluation jsonb,
  selection jsonb not null,
  goal int not null,
  minimum int not null,
  target int not null,
  base_version text not null references model_versions,
  published_version text references model_versions,
  metrics jsonb,
  bytes_up bigint not null default 0,
  opened_at timestamptz not null default now(),
  ready_by timestamptz,
  deadline timestamptz not null,
  closed_at timestamptz,
  ended_at timestamptz,
  unique (task_id, sequence)
);
create index rounds_due on rounds (deadline) where ended_at is null;

create table groups (
  id text primary key,
  round_id text not null references rounds,
  state text not null,
  reason text,
  digest text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index groups_by_round on groups (round_id);

create table assignments (
  id text primary key,
  project_id text not null references projects,
  task_id text not null references tasks,
  round_id text not null references rounds,
  device_id text not null references devices,
  group_id text references groups,
  state text not null,
  reason text,
  seed bigint not null,
  update_digest text,
  update_bytes bigint,
  weight int,
  offered_at timestamptz not null default now(),
  accepted_at timestamptz,
  training_at timestamptz,
  ready_at timestamptz,
  uploaded_at timestamptz,
  ended_at timestamptz,
  unique (round_id, device_id)
);
create unique index one_live_assignment on assignments (device_id)
  where state in ('offered', 'accepted', 'training', 'ready', 'grouped');
create index assignments_by_task_device on assignments (task_id, device_id, uploaded_at);

create table idempotency_keys (
  project_id text not null references projects,
  key text not null,
  request text not null,
  status int,
  body text,
  created_at timestamptz not null default now(),
  primary key (project_id, key)
);
