-- Which version of a task devices are served. `before` is the release that a rollback of this one goes back to.
create table releases (
  id text primary key,
  project_id text not null references projects,
  task_id text not null references tasks,
  version_id text not null references model_versions,
  kind text not null check (kind in ('promotion', 'rollback')),
  before text references releases,
  replaced text references model_versions,
  note text not null,
  key_id text not null,
  created_at timestamptz not null default now()
);
create index releases_by_task on releases (task_id, created_at);
alter table tasks add column release_id text references releases;
alter table tasks add column served_version text references model_versions;
