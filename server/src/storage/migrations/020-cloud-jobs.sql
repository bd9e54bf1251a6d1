-- Training in the cloud. The rows are the record of jobs: clusters forget theirs.
create table jobs (
  id text primary key,
  project_id text not null references projects,
  task_id text not null references tasks,
  state text not null,
  message text,
  work jsonb not null,
  backend text not null,
  attempts int not null default 0,
  step int,
  node text,
  cancel_requested boolean not null default false,
  base_version text not null references model_versions,
  published_version text references model_versions,
  metrics jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create index jobs_under_way on jobs (created_at) where ended_at is null;
create index jobs_by_task on jobs (task_id, created_at);
create unique index one_live_step on jobs (task_id) where step is not null and ended_at is null;
alter table model_versions add column job_id text;
